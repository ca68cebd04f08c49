import { agentsUri } from '../agents/agent.ts';
import type { FieldProblem } from '../http/field-problems.ts';
import { HttpError } from '../http/problem.ts';
import { isRefused } from '../platform/refusal.ts';
import type { Endpoint, EndpointTarget } from './endpoint.ts';
import type { EndpointBody } from './endpoint-schemas.ts';
import { guardTarget, type GuardSettings } from './target-guard.ts';

/** What a request makes of an endpoint; whose it is and its id are added by the route. */
type EndpointWish = Omit<Endpoint, 'id' | 'accountId' | 'uri'>;

/**
 * The endpoint of a body, all its addresses past the guard. A target of `kept` with the same
 * address and user name lends its password to one that comes without: nobody can read it back, so
 * whoever changes something else could not send it again.
 *
 * @throws {HttpError} 400 that names each field at fault
 */
export function endpointIn(
  body: EndpointBody,
  guard: GuardSettings,
  kept: readonly EndpointTarget[] = [],
): EndpointWish {
  const targets = targetsOf(body, guard).map((target) => {
    if (target.password !== null || target.username === null) return target;
    const same = kept.find(
      ({ uri, username }) => uri === target.uri && username === target.username,
    );
    return { ...target, password: same?.password ?? null };
  });
  const { uri: _uri, username: _name, password: _password, srtp: _srtp, ...rest } = body;
  const { failover, callerId, userToUser, whenNobody, agents, ...more } = rest;
  const { healthCheck, register, ...plain } = more;
  const asked = agents === undefined ? healthCheck : 'off';
  const shared = {
    failover,
    callerId,
    userToUser,
    healthCheck: asked,
    register,
    whenNobody,
  } as const;
  const options = agents === undefined ? shared : { ...shared, agents };
  return { ...plain, targets, options };
}

const ONE_TARGET = {
  priority: 0,
  weight: 1,
  username: null,
  password: null,
  srtp: 'off',
} as const;

/** The targets of a body, one or several, all of them past the guard. */
function targetsOf(body: EndpointBody, guard: GuardSettings): EndpointTarget[] {
  const { uri, username = null, password = null, srtp, targets, agents } = body;
  if (agents !== undefined && uri === undefined && targets === undefined) {
    return [{ ...ONE_TARGET, uri: agentsUri(agents.group) }];
  }
  if (agents !== undefined || (uri === undefined) === (targets === undefined)) {
    const rule = 'is given, or `targets`, or `agents`; one of the three';
    const fix = 'Send `uri` for one address, `targets` for several, `agents` for people.';
    throw badFields([{ field: 'uri', rule, fix }]);
  }
  if (uri !== undefined) {
    refuseUnguarded([{ field: 'uri', uri }], guard);
    return [{ ...ONE_TARGET, uri, username, password, srtp }];
  }
  const several = targets ?? [];
  const fields = several.map((target, at) => ({ field: `targets.${at}.uri`, uri: target.uri }));
  refuseUnguarded(fields, guard);
  const twice = fields.find(({ uri: one }, at) => several.findIndex((t) => t.uri === one) < at);
  if (twice !== undefined) {
    const fix = 'Name each address once; `weight` gives it more calls.';
    throw badFields([{ field: twice.field, rule: 'stands in the list once', fix }]);
  }
  return several.map((target) => ({
    ...target,
    username: target.username ?? null,
    password: target.password ?? null,
    srtp: target.srtp ?? srtp,
  }));
}

function refuseUnguarded(
  named: ReadonlyArray<{ field: string; uri: string }>,
  guard: GuardSettings,
): void {
  const problems = named.flatMap(({ field, uri }) => {
    const answer = guardTarget(uri, guard);
    if (!isRefused(answer)) return [];
    const { evidence, message, fix } = answer.refused;
    const rule = evidence?.['rule'];
    return [{ field, rule: typeof rule === 'string' ? rule : message, fix }];
  });
  if (problems.length > 0) throw badFields(problems);
}

export function badFields(fields: FieldProblem[]): HttpError {
  return new HttpError('invalid_request', 'The endpoint cannot be saved like this.', {
    fields,
  });
}
