import { errorText } from '../platform/failure.ts';
import { failedOverlayVectors } from '../policy/overlay-vectors.ts';
import { loadLawOverlay, loadPolicyPack, PACK_FOLDER, packNamesIn } from '../policy/policy-pack.ts';
import { failedVectors } from '../policy/policy-vectors.ts';

/**
 * `askfirst policy check [NAME]`: reads a pack or law overlay and runs the test vectors that it
 * carries; all of them without a name. Returns the exit code.
 */
export function checkPolicyPacks(name: string | undefined): number {
  try {
    const all = [...packNamesIn(PACK_FOLDER, 'base'), ...packNamesIn(PACK_FOLDER, 'law')];
    const names = name === undefined ? all : [name];
    return names.map(checkOne).every((holds) => holds) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    return 1;
  }
}

/** A broken file is told, and the others are checked all the same. */
function checkOne(name: string): boolean {
  try {
    const { failed, total } = name.startsWith('law-') ? checkedOverlay(name) : checkedPack(name);
    for (const line of failed) process.stdout.write(`✗ ${line}\n`);
    process.stdout.write(`${name}: ${total - failed.length} of ${total} vectors hold\n`);
    return failed.length === 0;
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    return false;
  }
}

type Checked = { failed: string[]; total: number };

function checkedPack(name: string): Checked {
  const pack = loadPolicyPack(name);
  return { failed: failedVectors(pack), total: pack.vectors.length };
}

/** An overlay never stands alone; beside it the default pack is silent on what laws limit. */
function checkedOverlay(name: string): Checked {
  const overlay = loadLawOverlay(name);
  const failed = failedOverlayVectors(overlay, loadPolicyPack('strict-2026-01'));
  return { failed, total: overlay.vectors.length };
}
