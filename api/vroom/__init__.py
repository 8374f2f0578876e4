"""The VROOM door: VROOM's JSON to `routing` and back."""
