// Signs and verifies webhooks with the published libraries: an array of jobs on standard input, an
// array of results on standard output, in order. A verification's result is null, or why it failed.
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";

const libraries = { standardwebhooks: Standard, svix: Svix };

function work({ action, library, secret, key, body, headers, id, timestamp }) {
  const webhook = secret
    ? new libraries[library](secret)
    : new libraries[library](Buffer.from(key, "base64"), { format: "raw" });
  const bytes = Buffer.from(body, "base64");
  if (action === "sign") {
    return webhook.sign(id, new Date(timestamp * 1000), bytes);
  }
  try {
    webhook.verify(bytes, headers);
    return null;
  } catch (error) {
    return error.message;
  }
}

let input = "";
for await (const piece of process.stdin) {
  input += piece;
}
process.stdout.write(JSON.stringify(JSON.parse(input).map(work)));
