import type { Queryable } from '../database/database.ts';
import { isId, type AccountId } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import { readScript, type ScriptId } from './script-store.ts';

export type ScriptPlan = {
  scriptId: ScriptId;
  version: number;
  variables: Readonly<Record<string, string>>;
};

/** The newest version of a script for a call, with what the call brings; or why it cannot be. */
export async function planScript(
  db: Queryable,
  accountId: AccountId,
  wish: { scriptId: string; variables: Readonly<Record<string, string>> },
): Promise<ScriptPlan | Refused | null> {
  const { scriptId, variables } = wish;
  if (!isId('script', scriptId)) return null;
  const stored = await readScript(db, accountId, scriptId);
  if (stored === null) return null;
  const declared = Object.entries(stored.document.variables);
  const missing = declared
    .filter(([name, { default: text }]) => text === undefined && variables[name] === undefined)
    .map(([name]) => name);
  const known = new Set(declared.map(([name]) => name));
  const unknown = Object.keys(variables).filter((name) => !known.has(name));
  if (missing.length + unknown.length > 0) {
    return {
      refused: {
        code: 'script_variables_missing',
        message: 'The call does not bring what its script needs.',
        fix: 'Send a text under scriptVariables for each name in evidence.missing, and no other.',
        evidence: { missing, unknown },
      },
    };
  }
  return { scriptId: stored.id, version: stored.version, variables };
}
