"""What the help page says of what the code defines: one line for each limit, option, outcome, status and transition.
Data only; a test finds what has no line."""

from __future__ import annotations

from collections.abc import Mapping

from imports.jobs.transitions import Transition
from imports.states import Status
from profiles.merging.rules import Outcome

LIMITS: Mapping[str, str] = {
    "max_bytes": "Size of a file; some presets take less",
    "max_columns": "Columns of a file",
    "max_unpacked_bytes": "Size of a packed file when it is unpacked",
    "max_ratio": "Times that unpacking may make a packed file larger",
    "max_cell_bytes": "Size of one cell",
    "max_xlsx_rows": "Rows of an Excel workbook; CSV has no limit of rows",
    "max_xlsx_memory": "Memory that reading a workbook may take",
}
"""By the names in ``refusal.Limits``, those that are numbers."""

OPTIONS: Mapping[str, str] = {
    "on_invalid_value": "a value that is not of its type",
    "unknown_columns": "a column that fits no attribute",
    "enforce_mandatory": "mandatory attributes are required",
    "forbidden_characters": "forbidden characters in a header",
    "header_case": "headers of built-in attributes",
    "identifier_first": "the identifier's column comes first",
    "refuse_placeholders": "identifiers such as null or n/a are refused",
    "alias_with_external_id": "External ID and alias in one file",
    "event_name": "name of all events of the file",
    "phone_format": "phone numbers",
    "default_country": "country of phone numbers without country code",
    "bracket_dates": "date formats in headers, in angle brackets, and $D_ with Unix seconds",
    "iso_dates": "dates as in ISO 8601",
    "exact_session_dates": "session dates in four shapes of ISO 8601 only",
    "other_dates_stay_text": "dates of another form stay text, with a warning",
    "time_zone": "time zone of times without one, if it is not the site's",
    "default_time": "time of day where a declared date has none",
    "genders": "genders",
    "exact_states": "subscription states by their exact spelling",
    "published_codes": "problems carry CleverTap's error codes",
    "csv_only": "CSV in UTF-8 with commas only",
    "max_megabytes": "size of a file, at most",
    "max_event_megabytes": "size of a file of events, at most",
    "data_points": "data points are counted",
}
"""By the names in ``presets.Options``."""

OPTION_VALUES: Mapping[str, str] = {
    "fail_row": "its row fails",
    "drop_value": "is left out with a warning, its row is imported",
    "suggest": "a new attribute is suggested",
    "create": "becomes a new attribute",
    "require_mapping": "has to be mapped or skipped",
    "warn": "are named in a warning",
    "reject": "refuse the file",
    "allow": "are allowed",
    "alike": "also if spelled alike",
    "identifiers_exact": "identifiers exactly as spelled, others also if spelled alike",
    "exact": "exactly as spelled",
    "MFONP": "M, F, O, N, P",
    "MF": "M, F",
    "any": "with + or without, separators are left out",
    "digits": "digits and blanks only",
    "plus": "with + and country code",
    "e164": "with + and country code, strictly as in E.164",
    "True": "yes",
    "False": "no",
    "": "none",
}

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.IMPORTED: "A new person was added.",
    Outcome.UPDATED: "A person who was known was changed as the action says; counted in it are the unchanged.",
    Outcome.UNCHANGED: "A person who was known has all of this already.",
    Outcome.IGNORED: "The person was known, and the action was to ignore those.",
    Outcome.FAILED: "The row cannot be imported; the page of the import says why. Nothing of it was written.",
}
NOT_RUN = "The import was stopped or failed before it came to the row."

STATUSES: Mapping[Status, str] = {
    Status.DRAFT: "The file is read; its settings and columns are being chosen.",
    Status.CHECKING: "Every row is checked and matched. Nobody is changed.",
    Status.READY: "The preview stands: what the import would do, row by row.",
    Status.AWAITING_APPROVAL: "Somebody else has to look at the preview and to approve it.",
    Status.PENDING: "Approved or started; it is in the queue.",
    Status.IN_PROGRESS: "People are being written.",
    Status.COMPLETED: "All rows were worked on. Rows that failed do not change that; they are counted as errors.",
    Status.REJECTED: "An approver said no, with a comment. Its uploader can change it and submit it again.",
    Status.CANCELLED: "Given up before it was started. Nobody was changed.",
    Status.STOPPED: "Stopped while people were written. What was written stays; the rest was not run.",
    Status.FAILED: "It cannot go on; the reason is on its page. What was written stays.",
    Status.UNDOING: "What it wrote is being taken back.",
    Status.UNDONE: "What it wrote was taken back.",
}

TRANSITIONS: Mapping[Transition, str] = {
    Transition.REREAD: "Read the file again, with another encoding, delimiter, preset or record type",
    Transition.CHECK: "Check the file",
    Transition.CHECKED: "The check ends",
    Transition.REFRESH: "Check again, because people have changed since",
    Transition.EDIT: "Change the settings",
    Transition.SUBMIT: "Submit for approval",
    Transition.START: "Start",
    Transition.APPROVE: "Approve",
    Transition.REJECT: "Reject, with a comment",
    Transition.CANCEL: "Cancel",
    Transition.BEGIN: "A worker begins",
    Transition.RECHECK: "The schema has changed since the check",
    Transition.COMPLETE: "All rows are done",
    Transition.STOP: "Stop",
    Transition.FAIL: "It cannot go on",
    Transition.RESUME: "Resume",
}

APPROVAL: Mapping[str, str] = {
    "creators": "What a Creator uploads waits for an Approver or an Admin. These start their own imports at once.",
    "always": "Every import waits for the approval of somebody else than its uploader.",
    "never": "Nobody needs approval: whoever uploads a file may start its import.",
}
"""By ``IMPORTS_APPROVAL`` (D-09)."""
