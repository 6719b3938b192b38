"""What outlives a question: answers, receipts and conversations as text, and back."""

from askmd.records.answers import (
    conversation_as_json,
    conversation_from,
)
from askmd.records.receipt import Built, Found, Receipt, Sent, digest, read_receipt, receipt_of
from askmd.records.transcript import as_transcript, read_transcript

__all__ = [
    "Built",
    "Found",
    "Receipt",
    "Sent",
    "as_transcript",
    "conversation_as_json",
    "conversation_from",
    "digest",
    "read_receipt",
    "read_transcript",
    "receipt_of",
]
