import { execFile } from 'node:child_process';
import { chmod, chown } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import { Failure } from '../platform/failure.ts';

/**
 * PostgreSQL refuses to run as root, and Askfirst must start as root too (containers do). An
 * account is how a PostgreSQL program is started so that it does not see uid 0.
 */
export type PostgresAccount = {
  kind: 'same_user' | 'user_namespace' | 'nobody';
  /** Turns a program and its arguments into what is really executed. */
  command(program: string, args: readonly string[]): [string, string[]];
  /** Lets the account write to a folder that this process has made. */
  handOver(folder: string): Promise<void>;
};

const run = promisify(execFile);
const NOBODY = 65534;
const NAMESPACE = ['--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];

/**
 * Finds a way to run the programs in `binFolder` as somebody other than root, with the data in
 * `dataParent`. Throws `Failure` `database_needs_ordinary_user` when there is none.
 */
export async function choosePostgresAccount(
  binFolder: string,
  dataParent: string,
): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return sameUser;
  // A user namespace needs no chown and works under folders that only root may enter, so it
  // goes first. Many containers forbid it; then setpriv is tried.
  if (await works('unshare', [...NAMESPACE, `${binFolder}/postgres`, '--version'])) {
    return userNamespace;
  }
  await chmod(dataParent, 0o711);
  const reachable = await works('setpriv', [...AS_NOBODY, 'test', '-x', dataParent]);
  if (reachable && (await works('setpriv', [...AS_NOBODY, `${binFolder}/postgres`, '--version']))) {
    return nobody;
  }
  throw new Failure({
    code: 'database_needs_ordinary_user',
    message:
      'PostgreSQL does not run as root, and this machine allows neither a user namespace nor ' +
      `the account "nobody" to reach ${dirname(dataParent)}.`,
    fix:
      'Start Askfirst as an ordinary user, put the data folder and the checkout where everybody ' +
      'may enter, or set DATABASE_URL to a PostgreSQL server of your own.',
    verdict: 'terminal',
    side: 'client',
  });
}

const sameUser: PostgresAccount = {
  kind: 'same_user',
  command: (program, args) => [program, [...args]],
  handOver: async () => {},
};

const userNamespace: PostgresAccount = {
  kind: 'user_namespace',
  command: (program, args) => ['unshare', [...NAMESPACE, program, ...args]],
  handOver: async () => {},
};

const nobody: PostgresAccount = {
  kind: 'nobody',
  command: (program, args) => ['setpriv', [...AS_NOBODY, program, ...args]],
  handOver: (folder) => chown(folder, NOBODY, NOBODY),
};

async function works(program: string, args: string[]): Promise<boolean> {
  try {
    await run(program, args, { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
