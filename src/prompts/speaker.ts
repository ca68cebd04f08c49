import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure } from '../platform/failure.ts';
import { PROMPT_LIMITS, type Pcm } from './prompts.ts';
import { readWav } from './wav.ts';

/** Speaks texts by a program of this machine: text in by stdin, WAV out by stdout. */
export type Speaker = {
  /** False where no program is set and none is found. */
  readonly available: boolean;
  /** Throws `Failure` `say_unavailable` or `say_failed`. */
  speak(text: string, language: string): Promise<Pcm>;
};

const TIMEOUT_MS = 10_000;
/** 22,050 Hz, 16 bits, for the longest text. */
const OUTPUT_BYTES_MAX = Math.ceil((PROMPT_LIMITS.spokenMs / 1_000) * 48_000 * 2) + 1_024;
/** Speaking takes a core while it lasts: calls must not wait behind a burst of it. */
const AT_A_TIME = 2;
const WAITING_MAX = 200;
const USUAL_COMMAND = 'espeak-ng --stdin --stdout -s 150 -v {language}';

/**
 * `command`: a program and its arguments, parted by spaces, with `{language}` where the language
 * goes; `off` for none; `auto` for espeak-ng where it is installed. No shell ever sees it, and the
 * text is no argument, so a text can do nothing but be spoken.
 */
export function openSpeaker(command: string, path: string = process.env['PATH'] ?? ''): Speaker {
  const words = wordsOf(command, path);
  let running = 0;
  const waiting: Array<() => void> = [];
  const turn = async (): Promise<void> => {
    if (running < AT_A_TIME) {
      running += 1;
      return;
    }
    if (waiting.length >= WAITING_MAX) throw failed('too many texts wait to be spoken');
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  };
  const done = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  return {
    available: words !== null,
    async speak(text, language) {
      if (words === null) throw unavailable();
      const [program = '', ...args] = words.map((word) => word.replaceAll('{language}', language));
      await turn();
      try {
        return readWav(await run(program, args, text), { openEnded: true });
      } catch (error) {
        throw error instanceof Failure && error.code === 'say_failed'
          ? error
          : failed(String(error));
      } finally {
        done();
      }
    },
  };
}

function wordsOf(command: string, path: string): string[] | null {
  if (command === 'off') return null;
  const words = (command === 'auto' ? USUAL_COMMAND : command).split(/\s+/).filter(Boolean);
  if (command !== 'auto') return words.length === 0 ? null : words;
  return path.split(delimiter).some((folder) => isProgram(join(folder, words[0] ?? '')))
    ? words
    : null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(program: string, args: readonly string[], text: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        encoding: 'buffer',
        timeout: TIMEOUT_MS,
        maxBuffer: OUTPUT_BYTES_MAX,
        killSignal: 'SIGKILL',
        // Nothing of ours is its business: the environment holds keys and addresses.
        env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' },
        windowsHide: true,
      },
      (error, stdout) => {
        if (error === null) resolve(stdout);
        else reject(failed(`${program} did not succeed (${error.code ?? error.signal ?? '?'})`));
      },
    );
    // A program that ends early breaks the pipe; its exit tells why.
    child.stdin?.on('error', () => {});
    child.stdin?.end(text);
  });
}

function unavailable(): Failure {
  return new Failure({
    code: 'say_unavailable',
    message: 'Nothing here can speak a text.',
    fix: 'Install espeak-ng (apt-get install espeak-ng), set ASKFIRST_SAY_COMMAND, or use prompts.',
    verdict: 'terminal',
    side: 'client',
  });
}

function failed(reason: string): Failure {
  return new Failure({
    code: 'say_failed',
    message: `A text could not be spoken: ${reason.slice(0, 200)}.`,
    fix: 'Try ASKFIRST_SAY_COMMAND by hand: text on stdin, WAV on stdout, and a language it knows.',
    verdict: 'terminal',
    side: 'server',
  });
}
