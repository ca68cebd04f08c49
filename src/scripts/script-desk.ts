import type { Queryable } from '../database/database.ts';
import { listEndpoints } from '../endpoints/endpoint-store.ts';
import type { AccountId } from '../platform/ids.ts';
import { listPrompts } from '../prompts/prompt-store.ts';
import type { SoundShelf } from '../prompts/sound-shelf.ts';
import type { Egress } from '../webhooks/egress.ts';
import { checkScript, type CheckedScript } from './script-check.ts';
import { soundsOf, type Script, type ScriptProblem } from './script.ts';

export type ScriptDeskPorts = { database: Queryable; shelf: SoundShelf; egress: Egress };

/**
 * Checks a script against this installation as well: prompts and endpoints that are there, a URL
 * that may be called, a program that speaks. What is wrong is said at the save, not in a call.
 */
export async function checkScriptHere(
  ports: ScriptDeskPorts,
  accountId: AccountId,
  input: unknown,
): Promise<CheckedScript> {
  const checked = checkScript(input);
  if (!checked.ok) return checked;
  const endpoints = await listEndpoints(ports.database, accountId);
  const prompts = await listPrompts(ports.database, accountId);
  const problems = problemsHere(checked.script, {
    endpoints: new Set(endpoints.flatMap(({ id, name }) => [id, name])),
    prompts: new Set(prompts.map(({ name }) => name)),
    refuseUrl: (url) => ports.egress.refuse(url)?.fix ?? null,
    speaks: ports.shelf.speaks,
  });
  return problems.length === 0 ? checked : { ok: false, problems };
}

type Here = {
  endpoints: ReadonlySet<string>;
  prompts: ReadonlySet<string>;
  refuseUrl: (url: string) => string | null;
  speaks: boolean;
};

function problemsHere({ steps }: Script, here: Here): ScriptProblem[] {
  return [...steps.values()].flatMap((step) => {
    const say = (field: string, rule: string, fix: string): ScriptProblem[] => [
      { step: step.name, field, rule, fix },
    ];
    const sounds = soundsOf(step).flatMap(({ field, sound }) => {
      if (sound.say !== undefined && !here.speaks) {
        const fix = 'Install espeak-ng, set ASKFIRST_SAY_COMMAND, or play an uploaded prompt.';
        return say(field, 'can be spoken; nothing here speaks a text', fix);
      }
      const { play } = sound;
      if (play === undefined || play.startsWith('builtin:') || here.prompts.has(play)) return [];
      return say(field, `names an uploaded prompt; there is no "${play}"`, 'POST /v1/prompts.');
    });
    if (
      step.do === 'connect' &&
      step.endpoint !== undefined &&
      !here.endpoints.has(step.endpoint)
    ) {
      const rule = `names an endpoint; there is no "${step.endpoint}"`;
      return [...sounds, ...say('endpoint', rule, 'See GET /v1/endpoints.')];
    }
    if (step.do !== 'url') return sounds;
    const fix = here.refuseUrl(step.url);
    return fix === null ? sounds : [...sounds, ...say('url', 'is a URL that may be called', fix)];
  });
}
