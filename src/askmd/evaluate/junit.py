"""An evaluation as JUnit's XML, which every CI server shows: a question is a test case."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from askmd.evaluate.labels import Finding
from askmd.evaluate.records import Evaluation, Result

# XML 1.0 has no way to write these, not even as references.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def as_junit(evaluation: Evaluation, name: str) -> str:
    """Return the XML of one test suite.

    A question fails where nothing of what it expects is among the first hits, where it is refused
    though the documents answer it, or is not though they do not. One whose labels point nowhere
    is an error.
    """
    failed = [one for one in evaluation.results if not one.passed]
    counts = {
        "tests": len(evaluation.results) + len(evaluation.findings),
        "failures": len(failed),
        "errors": len(evaluation.findings),
    }
    attributes = {"name": _written(name)} | {key: str(count) for key, count in counts.items()}
    root = Element("testsuites", attributes)
    suite = SubElement(root, "testsuite", attributes)
    for result in evaluation.results:
        _add_result(suite, result, evaluation.limit, name)
    for finding in evaluation.findings:
        _add_finding(suite, finding, name)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def reason(result: Result, limit: int) -> str:
    """Return why a question failed, in a few words; empty where it passed."""
    if result.passed:
        return ""
    if not result.expected:
        return "not refused, though the documents do not answer it"
    if result.is_refused:
        return "refused, though the documents answer it"
    return f"nothing of what is expected is among the first {limit} hits"


def _add_result(suite: Element, result: Result, limit: int, name: str) -> None:
    case = _add_case(suite, f"{result.id}: {result.question}", name)
    if what := reason(result, limit):
        SubElement(case, "failure", message=what).text = _written(result.question)
    lines = [
        f"{place}: {f'rank {rank}' if rank else 'not found'}"
        for place, rank in zip(result.expected, result.ranks, strict=True)
    ]
    lines.append("refused" if result.is_refused else "not refused")
    lines += [f"{metric} {value:.3f}" for metric, value in result.metrics.items()]
    SubElement(case, "system-out").text = _written("\n".join(lines))


def _add_finding(suite: Element, finding: Finding, name: str) -> None:
    case = _add_case(suite, finding.id, name)
    SubElement(case, "error", message=_written(f"line {finding.line}: {finding.what}"))


def _add_case(suite: Element, title: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=_written(name), name=_written(title))


def _written(text: str) -> str:
    """Return text with what XML cannot say as U+FFFD."""
    return _UNWRITABLE.sub("\ufffd", text)
