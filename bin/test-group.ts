import hooks from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Plays several test files in one process, one after the other, each as a suite of its own so
 * that its `before` and `after` stay with it. Loading the whole product costs a process as much
 * as a short story does, and whatever runs a second time runs faster.
 *
 * `run-tests.ts` names the files, and how long each may take, in the address it imports this file
 * by: `?file=…&file=…&timeoutMs=…`.
 */
const { searchParams } = new URL(import.meta.url);
const files = searchParams.getAll('file');
const timeout = Number(searchParams.get('timeoutMs'));

// node:test follows every promise of the program by hooks, to know to which test a stray error
// belongs and under which suite a test is declared. For code that awaits as much as this, that is
// a quarter of the processor's time. Once all are declared the hooks are switched off: an error
// that nobody caught then ends the run as nobody's instead of somebody's, and is red all the same.
const { createHook } = hooks;
const made: hooks.AsyncHook[] = [];
Object.assign(hooks, {
  createHook: (callbacks: hooks.HookCallbacks) => {
    const hook = createHook(callbacks);
    made.push(hook);
    return hook;
  },
});
syncBuiltinESMExports();
const { suite } = await import('node:test');

const declared = files.map((file) => {
  const loading = Promise.withResolvers<void>();
  void suite(relative(process.cwd(), file), { timeout }, () => {
    const loaded = import(pathToFileURL(file).href) as Promise<void>;
    loaded.then(loading.resolve, loading.resolve);
    return loaded;
  });
  return loading.promise;
});
await Promise.all(declared);
for (const hook of made) hook.disable();
Object.assign(hooks, { createHook });
syncBuiltinESMExports();

// All that node:test says of an error nobody caught is its message.
const tell = (error: unknown): void => console.error(error);
process.prependListener('unhandledRejection', tell);
process.prependListener('uncaughtException', tell);
