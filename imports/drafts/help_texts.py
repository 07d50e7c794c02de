"""Describe what the code defines for the help page: each limit, option, outcome, status and transition in one line.

Data only; a test reports what has no line.
"""

from __future__ import annotations

from collections.abc import Mapping

from imports.jobs.transitions import Transition
from imports.states import Status
from profiles.merging.rules import Outcome

LIMITS: Mapping[str, str] = {
    "max_bytes": "Size of a file; less under some presets",
    "max_columns": "Columns in a file",
    "max_unpacked_bytes": "Size of a compressed file after unpacking",
    "max_ratio": "Unpacked size divided by compressed size",
    "max_cell_bytes": "Size of one cell",
    "max_xlsx_rows": "Rows in an Excel sheet; CSV files have no row limit",
    "max_xlsx_memory": "Memory for reading a workbook",
}
"""By the names of the numbers in ``imports.files.errors.Limits``."""

OPTIONS: Mapping[str, str] = {
    "on_invalid_value": "a value of the wrong type",
    "unknown_columns": "a column that matches no attribute",
    "enforce_mandatory": "mandatory attributes are required",
    "forbidden_characters": "forbidden characters in a header",
    "header_case": "headers of built-in attributes",
    "identifier_first": "the identifier's column must be the first",
    "refuse_placeholders": "placeholders such as null or n/a are refused as identifiers",
    "alias_with_external_id": "External ID and alias in the same file",
    "event_name": "name of all events in the file",
    "phone_format": "phone numbers",
    "default_country": "country of phone numbers without a country code",
    "bracket_dates": "date formats in angle brackets in headers, and $D_ with Unix seconds in cells",
    "iso_dates": "dates in ISO 8601",
    "exact_session_dates": "session dates only in four forms of ISO 8601",
    "other_dates_stay_text": "dates in another format are kept as text, with a warning",
    "time_zone": "time zone of times without one, if not the site's",
    "default_time": "time of day for dates without one, if the header declares a format",
    "genders": "accepted genders",
    "exact_states": "subscription states must be spelled exactly",
    "published_codes": "problems have CleverTap's error codes",
    "csv_only": "only CSV in UTF-8 with commas",
    "max_megabytes": "largest size of a file",
    "max_event_megabytes": "largest size of a file of events",
    "data_points": "data points are counted",
}
"""By the names in ``presets.Options``."""

OPTION_VALUES: Mapping[str, str] = {
    "fail_row": "its row fails",
    "drop_value": "is left out with a warning; its row is imported",
    "suggest": "a new attribute is suggested",
    "create": "becomes a new attribute",
    "require_mapping": "must be mapped or skipped",
    "warn": "cause a warning",
    "reject": "cause the file to be refused",
    "allow": "are allowed",
    "alike": "in any similar spelling",
    "identifiers_exact": "identifiers in their exact spelling, others in any similar spelling",
    "exact": "in their exact spelling",
    "MFONP": "M, F, O, N, P",
    "MF": "M, F",
    "any": "with + or without, separators are left out",
    "digits": "digits and spaces only",
    "plus": "with + and country code",
    "e164": "with + and country code, strictly as in E.164",
    "True": "yes",
    "False": "no",
    "": "none",
}

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.IMPORTED: "A new person was created.",
    Outcome.UPDATED: "An existing person was changed as the action says. Unchanged rows are counted here too.",
    Outcome.UNCHANGED: "An existing person had all of these values already.",
    Outcome.IGNORED: "The person existed already, and the action was to ignore existing people.",
    Outcome.FAILED: "The row could not be imported; nothing of it was written. The page of the import says why.",
}
NOT_RUN = "The import was stopped or failed before it reached the row."

STATUSES: Mapping[Status, str] = {
    Status.DRAFT: "The file is uploaded; its settings and columns can be chosen.",
    Status.CHECKING: "Every row is being checked and matched. Nobody is changed.",
    Status.READY: "The preview shows what the import would do, row by row.",
    Status.AWAITING_APPROVAL: "An approver has to review the preview and approve the import.",
    Status.PENDING: "Approved or started; waiting in the queue.",
    Status.IN_PROGRESS: "People are being written.",
    Status.COMPLETED: "All rows are done. Rows may have failed; they are counted as errors.",
    Status.REJECTED: "An approver rejected it, with a comment. The uploader can change it and submit it again.",
    Status.CANCELLED: "Cancelled before it was started. Nobody was changed.",
    Status.STOPPED: "Stopped by a user after it was started. What was written stays; the remaining rows were not run.",
    Status.FAILED: "It could not continue; its page gives the reason. What was written stays.",
    Status.UNDOING: "Its changes are being undone.",
    Status.UNDONE: "Its changes were undone.",
}

TRANSITIONS: Mapping[Transition, str] = {
    Transition.REREAD: "Read the file again, with another encoding, delimiter, preset or record type",
    Transition.CHECK: "Check the file",
    Transition.CHECKED: "The check is done",
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
    Transition.FAIL: "The import cannot continue",
    Transition.RESUME: "Resume",
}

APPROVAL: Mapping[str, str] = {
    "creators": "Imports by a Creator wait for an Approver or an Admin. Approvers and Admins start their own at once.",
    "always": "Every import waits for the approval of a user other than its uploader.",
    "never": "No import needs approval: the user who uploads a file may start its import.",
}
"""By ``IMPORTS_APPROVAL`` (D-09)."""
