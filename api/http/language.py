"""The language that a request asks for."""

from api.forms import Language

__all__ = ["preferred"]


def preferred(accepted: str) -> Language:
    """Return the language that an ``Accept-Language`` header (RFC 9110, 12.5.4) prefers; en for neither."""
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        tag, _, weight = part.strip().lower().partition(";")
        name, _, number = weight.strip().partition("=")
        try:
            wanted = float(number) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        # zh-Hans-CN and en-GB are served by zh and en.
        main = tag.strip().partition("-")[0]
        weights[main] = max(weights.get(main, 0.0), wanted)
    # What is not named counts as "*" does, or not at all.
    other = weights.get("*", 0.0)
    return "zh" if weights.get("zh", other) > weights.get("en", other) else "en"
