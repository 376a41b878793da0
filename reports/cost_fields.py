"""The fields by which people state what a system costs, in groups: their labels, hints and bounds."""

from typing import Any

from django import forms

from reports import assumptions

Labels = dict[str, tuple[str, str]]
BY_TOKENS: Labels = {
    "input_per_million": ("Input, USD per million tokens", ""),
    "output_per_million": ("Output, USD per million tokens", "Thoughts count as output."),
    "cached_input_per_million": ("Input read from a cache, USD per million tokens", "Left out, as any input."),
    "cache_write_per_million": ("Input written to a cache, USD per million tokens", "Left out, as any input."),
    "price_date": ("Date of the prices", ""),
    "price_source": ("Where they are from", ""),
}
RENTED: Labels = {
    "gpu_hourly": ("One GPU, USD an hour", ""),
    "gpus": ("GPUs", ""),
    "hours_per_day": ("Hours a day they are paid for", "24, or the metered hours of a mean day."),
}
OWNED: Labels = {
    "purchase_price": ("Price of the machine, USD", "Stated, it counts instead of a rent."),
    "residual_value": ("What it is worth at the end, USD", ""),
    "years": ("Years in use", "Left out, 3."),
    "interest_rate": ("Interest a year", "0.05 is 5 %, on the mean book value."),
    "kilowatts": ("Mean power, kW", ""),
    "pue": ("Power of the whole room for each kW", "PUE: 1 without cooling, 1.2 to 1.6 are usual."),
    "kwh_price": ("USD a kWh", ""),
    "hosting_per_day": ("Hosting, USD a day", ""),
}
USE: Labels = {
    "utilisation": ("Share of time they work, 0 to 1", "Where no volume is stated; left out, 0.3."),
    "server_share": (
        "Share of the server that is this system's, 0 to 1",
        "Two adapters on one base server: 0.5 each, so that its hours are split and not counted twice.",
    ),
    "storage_per_day": ("Storage, USD a day", ""),
    "variable_per_million": ("What each million tokens costs besides, USD", "Power beyond idling, for instance."),
}
HOSTED: Labels = {
    "hosted_input_per_million": ("Input, USD per million tokens", ""),
    "hosted_output_per_million": ("Output, USD per million tokens", ""),
}
OF_GPUS = {
    "rented GPUs": RENTED,
    "a machine of your own": OWNED,
    "how it is used": USE,
    "the same model at a host that is paid by tokens": HOSTED,
}
LABELS: Labels = {**BY_TOKENS, **RENTED, **OWNED, **USE, **HOSTED}
LONGEST_SOURCE = 300
WORTH_TOO_MUCH = "At the end a machine is worth no more than its price."


class NumberField(forms.FloatField):
    """A number that stands in its field as a person writes it: 24, not 24.0."""

    def prepare_value(self, value: Any) -> Any:
        """Without a fraction where there is none."""
        return int(value) if isinstance(value, float) and value.is_integer() else value


def field_of(name: str) -> forms.Field:
    """The field of one column of a system's cost; it may be left empty."""
    label, hint = LABELS[name]
    if name == "price_date":
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        return forms.DateField(label=label, help_text=hint, required=False, widget=widget)
    if name == "price_source":
        return forms.CharField(label=label, help_text=hint, required=False, max_length=LONGEST_SOURCE)
    return amount(label, hint, *assumptions.OF_A_SYSTEM[name])


def amount(label: str, hint: str, least: float, most: float) -> NumberField:
    """A number that may be left empty, as a browser takes it: to any digit."""
    field = NumberField(label=label, help_text=hint, required=False, min_value=least, max_value=most)
    field.widget.attrs["step"] = "any"
    return field


def stated(cleaned: dict[str, object], prefix: str = "") -> dict[str, object]:
    """What a form says of a system's cost, as it is stored; None where nothing was said."""
    found = {name: cleaned.get(prefix + name) for name in LABELS if prefix + name in cleaned}
    day = found.get("price_date")
    if day is not None:
        found["price_date"] = str(day)
    return {name: None if value == "" else value for name, value in found.items()}
