// Synthesises the Amplify backend as `ampx` does: in this process, told so by a message.
// usage: synth-amplify.mjs BACKEND (CDK_OUTDIR and CDK_CONTEXT_JSON say where and what)
import { pathToFileURL } from 'node:url';

await import(pathToFileURL(process.argv[2]).href);
process.emit('message', 'amplifySynth', undefined);
