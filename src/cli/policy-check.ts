import { errorText } from '../platform/failure.ts';
import { loadPolicyPack } from '../policy/policy-pack.ts';
import { failedVectors } from '../policy/policy-vectors.ts';

/** `askfirst policy check NAME`: reads a pack and runs the test vectors it carries. */
export function checkPolicyPack(name: string): number {
  try {
    const pack = loadPolicyPack(name);
    const failed = failedVectors(pack);
    for (const line of failed) process.stdout.write(`✗ ${line}\n`);
    const total = pack.vectors.length;
    process.stdout.write(`${pack.name}: ${total - failed.length} of ${total} vectors hold\n`);
    return failed.length === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    return 1;
  }
}
