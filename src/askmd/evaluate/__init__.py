"""A question file against an index: figures, intervals, comparisons, and first drafts of one.

questions   a question file read and checked                  nothing below it
labels      what its labels name in the documents
metrics     what was found against what was to be found
records     what an evaluation says, and how a file keeps it
ruler       one question's result          paired    means, intervals, differences
evaluating  the whole file                 junit     for CI servers
wording     a heading → a question         drafts    documents → a first question file
asking      a passage → a question, by an LLM
"""

from askmd.evaluate.drafts import Draft, draft
from askmd.evaluate.evaluating import LIMIT, evaluate, indexed_paths
from askmd.evaluate.junit import as_junit
from askmd.evaluate.labels import Finding
from askmd.evaluate.paired import check_lengths, compare
from askmd.evaluate.questions import Label, Question, QuestionsError, read_questions
from askmd.evaluate.records import (
    Change,
    Comparison,
    Difference,
    Evaluation,
    Measure,
    Result,
    as_saved,
    read_saved,
)

__all__ = [
    "LIMIT",
    "Change",
    "Comparison",
    "Difference",
    "Draft",
    "Evaluation",
    "Finding",
    "Label",
    "Measure",
    "Question",
    "QuestionsError",
    "Result",
    "as_junit",
    "as_saved",
    "check_lengths",
    "compare",
    "draft",
    "evaluate",
    "indexed_paths",
    "read_questions",
    "read_saved",
]
