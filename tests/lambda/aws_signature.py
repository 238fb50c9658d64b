"""Whether botocore, AWS's own client, makes the same signature of a request."""

import botocore.auth
import botocore.awsrequest
import botocore.credentials

SIGNED_BY_BOTOCORE_ITSELF = ("host", "x-amz-date", "x-amz-security-token")


def is_signed(headers, body, url, service, keys, token):
    """Of a POST to `url`, with the credentials `keys` (aws_access_key_id, aws_secret_access_key) and their
    session's token."""
    scheme, _, rest = headers["Authorization"].partition(" ")
    parts = dict(part.split("=", 1) for part in rest.split(", "))
    key, _, region, signed_service, _ = parts["Credential"].split("/")
    signed = parts["SignedHeaders"].split(";")
    if (scheme, key, signed_service, headers.get("X-Amz-Security-Token")) != (
            "AWS4-HMAC-SHA256", keys["aws_access_key_id"], service, token):
        return False
    again = botocore.awsrequest.AWSRequest("POST", url + "/", data=body, headers={
        name: headers[name] for name in signed if name not in SIGNED_BY_BOTOCORE_ITSELF})
    again.context["timestamp"] = headers["X-Amz-Date"]
    by = botocore.auth.SigV4Auth(
        botocore.credentials.Credentials(key, keys["aws_secret_access_key"], token), service, region)
    by._modify_request_before_signing(again)
    string = by.string_to_sign(again, by.canonical_request(again))
    needed = {"host", "x-amz-date"} | ({"x-amz-target"} if "X-Amz-Target" in headers else set())
    return needed <= set(signed) and parts["Signature"] == by.signature(string, again)
