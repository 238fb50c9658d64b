"""A CloudFormation template, as one reads it."""

import json
import pathlib
import re

# What CDK appends to a logical id, so that no two are the same.
UNIQUE = re.compile(r"[0-9A-F]{8}$")


def plain_name(logical_id):
    return UNIQUE.sub("", logical_id)


def shown(value):
    """The value, its references as text: `${Table.Arn}/index/x`; of logical ids the part that says something."""
    if isinstance(value, list):
        return [shown(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return "${" + plain_name(value["Ref"]) + "}"
    if set(value) == {"Fn::GetAtt"}:
        name, attribute = value["Fn::GetAtt"]
        return "${" + plain_name(name) + "." + attribute + "}"
    if set(value) == {"Fn::Join"}:
        separator, parts = value["Fn::Join"]
        return separator.join(shown(part) for part in parts)
    return {key: shown(one) for key, one in value.items()}


def listed(value):
    return value if isinstance(value, list) else [value]


class Template:
    def __init__(self, path):
        self.text = pathlib.Path(path).read_text(encoding="utf-8")
        self.json = json.loads(self.text)
        self.resources = self.json["Resources"]

    def of_type(self, kind):
        """Name → properties, references shown, of each resource of the type `AWS::` + kind."""
        return {plain_name(name): shown(resource.get("Properties", {}))
                for name, resource in self.resources.items() if resource["Type"] == f"AWS::{kind}"}

    def only(self, kind):
        (properties,) = self.of_type(kind).values()
        return properties

    def whole(self, kind):
        """Name → resource, as it is, with its policies."""
        return {plain_name(name): resource for name, resource in self.resources.items()
                if resource["Type"] == f"AWS::{kind}"}

    def alarm(self, name):
        (found,) = [alarm for full, alarm in self.of_type("CloudWatch::Alarm").items() if full.endswith(name)]
        return found

    def statements(self, kind="IAM::Role"):
        """Of each role's own policies, by the statement's name."""
        return {f"{name}.{statement['Sid']}" if len(self.of_type(kind)) > 1 else statement["Sid"]: statement
                for name, role in self.of_type(kind).items()
                for policy in role.get("Policies", []) for statement in policy["PolicyDocument"]["Statement"]}
