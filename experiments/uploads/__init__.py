"""Files that people bring: inputs, recorded answers, judgments; read strictly, each fault named by its line."""

from experiments.uploads.headers import headers_of
from experiments.uploads.inputs import InputRow, Upload, read
from experiments.uploads.judgments import JudgmentRow, read_judgments
from experiments.uploads.limits import INPUTS, JUDGMENTS, OUTPUTS, Limits
from experiments.uploads.outputs import OutputRow, OutputUpload, read_outputs
from experiments.uploads.problems import BadRow, UploadError
from experiments.uploads.shelf import Shelf

__all__ = [
    "INPUTS",
    "JUDGMENTS",
    "OUTPUTS",
    "BadRow",
    "InputRow",
    "JudgmentRow",
    "Limits",
    "OutputRow",
    "OutputUpload",
    "Shelf",
    "Upload",
    "UploadError",
    "headers_of",
    "read",
    "read_judgments",
    "read_outputs",
]
