"""What goes wrong because of the user."""

import difflib


class Error(ValueError):
    """Bad input. The message is one line: what was expected, what arrived, what to do."""


def near(name, options, count=3):
    """A hint "; did you mean 'X'?" with the options nearest to `name`, or "" when none is near."""
    by_lower = {option.lower(): option for option in options}
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=count, cutoff=0.6)
    if not found:
        return ""
    return "; did you mean " + " or ".join(f"'{by_lower[f]}'" for f in found) + "?"
