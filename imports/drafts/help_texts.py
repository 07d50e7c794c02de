"""Texts of the help page: one for each limit, option, outcome, status and transition that the code defines.
Data only; a test detects what has no text."""

from __future__ import annotations

from collections.abc import Mapping

from imports.jobs.transitions import Transition
from imports.states import Status
from profiles.merging.rules import Outcome

LIMITS: Mapping[str, str] = {
    "max_bytes": "Size of a file; some presets accept less",
    "max_columns": "Columns of a file",
    "max_unpacked_bytes": "Size of a compressed file after decompression",
    "max_ratio": "Compression ratio: size after decompression, divided by the size before",
    "max_cell_bytes": "Size of one cell",
    "max_xlsx_rows": "Rows of an Excel workbook; the rows of a CSV file are not limited",
    "max_xlsx_memory": "Memory for reading a workbook",
}
"""By field of ``imports.files.errors.Limits``, for the fields that are numbers."""

OPTIONS: Mapping[str, str] = {
    "on_invalid_value": "a value that does not fit its type",
    "unknown_columns": "a column that matches no attribute",
    "enforce_mandatory": "mandatory attributes are required",
    "forbidden_characters": "forbidden characters in a header",
    "header_case": "headers of built-in attributes",
    "identifier_first": "the identifier's column must come first",
    "refuse_placeholders": "identifiers such as null or n/a are refused",
    "alias_with_external_id": "External ID and alias in one file",
    "event_name": "one name for all events of the file",
    "phone_format": "phone numbers",
    "default_country": "country of phone numbers without country code",
    "bracket_dates": "date formats in headers, in angle brackets, and $D_ with Unix seconds",
    "iso_dates": "ISO 8601 dates",
    "exact_session_dates": "session dates must have one of four ISO 8601 forms",
    "other_dates_stay_text": "dates in another format stay text, with a warning",
    "time_zone": "time zone of times that do not name one, if it differs from the site's",
    "default_time": "time of day of declared dates without a time",
    "genders": "genders",
    "exact_states": "subscription states must have the exact spelling",
    "published_codes": "problems have CleverTap's error codes",
    "csv_only": "only CSV in UTF-8 with commas",
    "max_megabytes": "size of a file, at most",
    "max_event_megabytes": "size of a file of events, at most",
    "data_points": "data points are counted",
}
"""By field of ``imports.presets.Options``."""

OPTION_VALUES: Mapping[str, str] = {
    "fail_row": "its row fails",
    "drop_value": "is left out with a warning; its row is imported",
    "suggest": "a new attribute is suggested",
    "create": "becomes a new attribute",
    "require_mapping": "must be mapped or skipped",
    "warn": "cause a warning",
    "reject": "the file is refused",
    "allow": "are allowed",
    "alike": "similar spellings too",
    "identifiers_exact": "exact spelling for identifiers, similar spellings too for others",
    "exact": "exact spelling only",
    "MFONP": "M, F, O, N, P",
    "MF": "M, F",
    "any": "with or without +; separators are ignored",
    "digits": "digits and spaces only",
    "plus": "with + and country code",
    "e164": "with + and country code, strictly as in E.164",
    "True": "yes",
    "False": "no",
    "": "none",
}

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.IMPORTED: "A new person was created.",
    Outcome.UPDATED: "An existing person was changed as the action says. This includes the unchanged.",
    Outcome.UNCHANGED: "An existing person already has all values of the row.",
    Outcome.IGNORED: "The person exists, and the action was to ignore existing people.",
    Outcome.FAILED: "The row cannot be imported; the page of the import gives the reason. Nothing of it was written.",
}
NOT_RUN = "The import was stopped or failed before it reached the row."

STATUSES: Mapping[Status, str] = {
    Status.DRAFT: "The file was uploaded; its settings and columns can be chosen.",
    Status.CHECKING: "Every row is being checked and matched. Nobody is changed.",
    Status.READY: "The preview shows what the import will do, row by row.",
    Status.AWAITING_APPROVAL: "Another user must look at the preview and approve the import.",
    Status.PENDING: "The import was approved or started, and is waiting in the queue.",
    Status.IN_PROGRESS: "People are being created and updated.",
    Status.COMPLETED: "All rows were processed. Failed rows do not change that; they are counted as errors.",
    Status.REJECTED: "An approver rejected the import, with a comment. Its uploader can change it and submit it again.",
    Status.CANCELLED: "The import was cancelled before it was started. Nobody was changed.",
    Status.STOPPED: "The import was stopped while it ran. What was written stays; the other rows were not run.",
    Status.FAILED: "The import cannot continue; its page gives the reason. What was written stays.",
    Status.UNDOING: "The changes of the import are being undone.",
    Status.UNDONE: "The changes of the import were undone.",
}

TRANSITIONS: Mapping[Transition, str] = {
    Transition.REREAD: "Read the file again, with another encoding, delimiter, preset or record type",
    Transition.CHECK: "Check the file",
    Transition.CHECKED: "The check is completed",
    Transition.REFRESH: "Check again, because people were changed after the check",
    Transition.EDIT: "Change the settings",
    Transition.SUBMIT: "Submit for approval",
    Transition.START: "Start",
    Transition.APPROVE: "Approve",
    Transition.REJECT: "Reject, with a comment",
    Transition.CANCEL: "Cancel",
    Transition.BEGIN: "A worker begins",
    Transition.RECHECK: "The schema was changed after the check",
    Transition.COMPLETE: "All rows are processed",
    Transition.STOP: "Stop",
    Transition.FAIL: "The import cannot continue",
    Transition.RESUME: "Resume",
}

APPROVAL: Mapping[str, str] = {
    "creators": "Imports of a Creator need the approval of an Approver or Admin, who start their own without approval.",
    "always": "Every import needs the approval of a user other than its uploader.",
    "never": "Imports need no approval: the uploader of a file may start its import.",
}
"""By ``IMPORTS_APPROVAL`` (D-09)."""
