// What every command needs before it can begin: the packages of package-lock.json and Node 24.
// This file must run on the oldest Node a machine may have (16), so it is plain JavaScript.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const NODE_MAJOR = 24;

/**
 * The space for what lives a moment only. Node lets it grow to 128 MB under any load that lasts,
 * half of what a server with an import took; swept more often, 16 MB do the same work.
 */
export const LEAN = '--max-semi-space-size=8';

/**
 * Installs what is missing and makes sure that the script goes on under Node 24 and with these
 * options of Node: either by returning, or by running the same script again in our place.
 */
export async function layGround(script, options = []) {
  ensurePackages();
  const args = [...options, script, ...process.argv.slice(2)];
  if (major(process.versions.node) < NODE_MAJOR) return runInstead(nodeProgram(), args);
  // Whoever starts Node with options of their own has thought of their memory. Where a process
  // cannot be replaced, it goes on as it is: it only takes more memory.
  const isSet = [...process.execArgv, process.env['NODE_OPTIONS']].join(' ');
  if (options.length === 0 || isSet.includes('semi-space-size')) return;
  if (process.platform === 'win32' || process.execve === undefined) return;
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...args]);
}

/** Builds the web page when its sources changed since the last build. */
export function ensureWebPage() {
  const web = join(root, 'web');
  if (!existsSync(join(web, 'index.html'))) return;
  const stamp = join(web, 'dist', '.sources');
  const now = hashOf([...filesUnder(web, ['dist', 'node_modules']), lockFile()]);
  if (readText(stamp) === now) return;
  const vite = join(modules, 'vite', 'bin', 'vite.js');
  // Installed without the tools to build it: then the page is built elsewhere, or not wanted.
  if (!existsSync(vite)) return;
  process.stderr.write('Building the web page …\n');
  const built = spawnSync(process.execPath, [vite, 'build', web, '--logLevel', 'error'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (built.status === 0) {
    writeFileSync(stamp, now);
    return;
  }
  process.stderr.write(lastLines(`${built.stdout}${built.stderr}`, 20));
  stop('The web page could not be built.', 'Run "npm run web" to see why, then start again.');
}

/** Prints one sentence with the fix and ends. */
export function stop(sentence, fix) {
  process.stderr.write(`\n${sentence}\nFix: ${fix}\n`);
  process.exit(1);
}

function ensurePackages() {
  const stamp = join(modules, '.askfirst-lock');
  const now = `${hashOf([lockFile()])} ${process.platform}-${process.arch}`;
  if (readText(stamp) === now) return;
  if (!sameAsInstalled()) installPackages();
  try {
    writeFileSync(stamp, now);
  } catch {
    // A read-only checkout: the packages are right, only the look takes longer each time.
  }
}

/** npm notes what it installed; packages for other machines may be absent, others may not. */
function sameAsInstalled() {
  const noted = readText(join(modules, '.package-lock.json'));
  if (noted === undefined) return false;
  try {
    const here = JSON.parse(noted).packages;
    const wanted = JSON.parse(readText(lockFile())).packages;
    return Object.keys(wanted).every((path) => {
      if (path === '') return true;
      const found = here[path];
      return found === undefined
        ? wanted[path].optional === true || wanted[path].peer === true
        : found.version === wanted[path].version && existsSync(join(root, path));
    });
  } catch {
    return false;
  }
}

function installPackages() {
  process.stderr.write('Installing packages (once, about 30 s) …\n');
  // Without install scripts the database programs lack their libraries; without the development
  // packages there is no web page.
  const options = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts=false'];
  const result = spawnSync('npm', ['ci', ...options, '--include=dev', '--include=optional'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (result.status === 0) return;
  if (result.error !== undefined && result.error.code === 'ENOENT') {
    stop('npm is not installed.', 'Install Node 16 or newer together with npm, then start again.');
  }
  const output = `${result.stdout || ''}${result.stderr || ''}`;
  process.stderr.write(lastLines(output, 20));
  stop('The packages could not be installed.', installFix(output));
}

function installFix(output) {
  if (/ENOSPC|EDQUOT/.test(output)) return 'The disk is full: free about 700 MB and start again.';
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return `This user may not write to ${root}: start as its owner, or clone it again.`;
  }
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|network/i.test(output)) {
    return 'The package registry cannot be reached: check the network, a proxy, "npm ping".';
  }
  return 'Run "npm ci" to see why, then start again.';
}

/** The Node that npm brought, or this one where npm has none for the machine. */
function nodeProgram() {
  const bundled = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node');
  const answer = spawnSync(bundled, ['--version'], { encoding: 'utf8' });
  if (answer.status === 0 && major(answer.stdout.slice(1)) >= NODE_MAJOR) return bundled;
  return stop(
    `Askfirst needs Node ${NODE_MAJOR}; this is Node ${process.versions.node}, and npm has ` +
      `none that runs on this machine (${process.platform}-${process.arch}).`,
    `Install Node ${NODE_MAJOR} and start again.`,
  );
}

/** Runs a program in our place: its signals are ours, its end is our end. */
function runInstead(program, args) {
  const child = spawn(program, args, { stdio: 'inherit' });
  const forward = (name) => {
    // A terminal sends Ctrl-C to the child as well; it must not get it twice.
    if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => forward(name));
  return new Promise(() => {
    child.on('exit', (code, signal) =>
      process.exit(signal === null ? code : 128 + constants.signals[signal]),
    );
  });
}

function lockFile() {
  return join(root, 'package-lock.json');
}

function filesUnder(folder, except) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !except.includes(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path, except) : [path];
    });
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(path.slice(root.length)).update(readFileSync(path));
  return hash.digest('hex');
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function lastLines(text, count) {
  return `${text.trimEnd().split('\n').slice(-count).join('\n')}\n`;
}

function major(version) {
  return Number.parseInt(version, 10);
}
