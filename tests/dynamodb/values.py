"""DynamoDB's typed values: `{"N":"1"}` and the like, from Python's and back."""

import decimal


def typed(value):
    """As the original writes it. A Decimal, or an int, is a number."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, decimal.Decimal)):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, list):
        return {"L": [typed(one) for one in value]}
    return {"M": {name: typed(one) for name, one in value.items()}}


def plain(value):
    """As the original reads it."""
    (kind, held), = value.items()
    if kind == "NULL":
        return None
    if kind == "N":
        number = decimal.Decimal(held)
        return int(number) if number == number.to_integral_value() else float(number)
    if kind == "L":
        return [plain(one) for one in held]
    if kind == "M":
        return {name: plain(one) for name, one in held.items()}
    return held


def timestamp(time):
    """`2024-01-01T00:00:00.000000Z` of a datetime in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
