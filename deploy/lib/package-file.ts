import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PACKAGE } from './program.js';

/**
 * The function's zip: the one named, else what `./dev package` made in the repository that this file
 * is part of (it is compiled to a deeper folder, so the root is looked for).
 */
export function packageFile(named?: string): string {
  if (named !== undefined) {
    if (!existsSync(named)) {
      throw new Error(`there is no function to deploy at ${named}: run ./dev package, which makes ${PACKAGE}`);
    }
    return named;
  }
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    const found = join(folder, PACKAGE);
    if (existsSync(found)) {
      return found;
    }
  }
  throw new Error(`there is no function to deploy: ${PACKAGE} is in no folder above ${here}. ` +
    'Run ./dev package, or name the file (packageFile, DISPATCHER_PACKAGE)');
}
