import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Whether a test that needs an external program must be skipped: `false`, or the sentence that
 * says how to get it. With CI=true a missing program is an error, because a skipped interop test
 * proves nothing. Use: `test('…', { skip: needsProgram('sipp', 'sip-tester') }, …)`.
 */
export function needsProgram(name: string, aptPackage: string): false | string {
  if (programPath(name) !== undefined) return false;
  const sentence = `${name} is not installed: apt-get install ${aptPackage}`;
  if (process.env['CI'] === 'true') throw new Error(sentence);
  return sentence;
}

/** Where the program is, or undefined when it is on no PATH entry. */
export function programPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, '/usr/sbin', '/sbin']
    .map((folder) => join(folder, name))
    .find((candidate) => isExecutable(candidate));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
