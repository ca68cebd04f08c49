/**
 * What is wrong with one field of a request, in plain words: the rule it breaks and what to send
 * instead. The value is never repeated: it may be personal.
 */
export type FieldProblem = { field: string; rule: string; fix: string };

/** One issue of the schema check, as fastify-type-provider-zod hands it over. */
export type SchemaIssue = {
  instancePath: string;
  keyword: string;
  message?: string;
  params: object;
};

const FIELDS_MAX = 20;
const NAME_MAX = 100;

/** The issues of a request as field, rule and fix; `whole` names what holds the fields. */
export function fieldProblems(issues: readonly SchemaIssue[], whole: string): FieldProblem[] {
  return issues.flatMap((issue) => oneIssue(issue, whole)).slice(0, FIELDS_MAX);
}

function oneIssue(issue: SchemaIssue, whole: string): FieldProblem[] {
  const path = issue.instancePath.split('/').filter((step) => step !== '');
  const params = issue.params as IssueParams;
  if (issue.keyword === 'unrecognized_keys') {
    return (params.keys ?? []).map((key) => ({
      field: [...path, key === '' ? '(no name)' : key].join('.').slice(0, NAME_MAX),
      rule: 'is not known here',
      fix: 'Remove it, or correct its spelling; /openapi.json lists the fields of this route.',
    }));
  }
  if (isPlainUnion(issue, params)) return unionProblems(path, params.errors ?? [], whole);
  const field = nameOf(path, whole);
  const { rule, fix } = inWords(issue, params);
  return [{ field, rule, fix: fix ?? `Send a value that ${rule}.` }];
}

/** An issue of one branch of a union, as zod itself writes it; its path begins at the union. */
type NestedIssue = { code: string; path: PropertyKey[]; message: string };

const KIND_KEYWORDS: ReadonlySet<string> = new Set([
  'invalid_type',
  'invalid_value',
  'invalid_union',
]);

/**
 * A value that fits none of several shapes. Where it is plain which of them was meant, because
 * it is of that kind and misses least of it, what is wrong is said of that one; else what each
 * of them asks for.
 */
function unionProblems(
  path: readonly string[],
  branches: readonly NestedIssue[][],
  whole: string,
): FieldProblem[] {
  const ofItsKind = branches
    .filter((issues) => issues.every((it) => it.path.length > 0 || !KIND_KEYWORDS.has(it.code)))
    .toSorted((one, other) => one.length - other.length);
  const [best, second] = ofItsKind;
  if (best !== undefined && best.length !== second?.length) {
    return fieldProblems(
      best.map((issue) => asSchemaIssue(issue, path)),
      whole,
    );
  }
  const asked = (ofItsKind.length > 0 ? ofItsKind : branches).flatMap(([first]) => {
    if (first === undefined) return [];
    const [problem] = oneIssue(asSchemaIssue(first, []), '');
    return problem === undefined ? [] : [`${problem.field} ${problem.rule}`.trim()];
  });
  const rule = [...new Set(asked)].join(', or ') || 'has the documented form';
  return [{ field: nameOf(path, whole), rule, fix: 'Send a value of one of these forms.' }];
}

function asSchemaIssue(issue: NestedIssue, path: readonly string[]): SchemaIssue {
  const { code, path: inner, message, ...params } = issue;
  const steps = [...path, ...inner.map(String)];
  return { instancePath: `/${steps.join('/')}`, keyword: code, message, params };
}

function nameOf(path: readonly string[], whole: string): string {
  return path.length === 0 ? whole : path.join('.').slice(0, NAME_MAX);
}

/** One without words of its own, whose branches no field tells apart. */
function isPlainUnion({ keyword, message = '' }: SchemaIssue, params: IssueParams): boolean {
  return keyword === 'invalid_union' && message.startsWith('Invalid') && !params.options;
}

type IssueParams = {
  expected?: string;
  keys?: string[];
  values?: unknown[];
  minimum?: number;
  maximum?: number;
  origin?: string;
  format?: string;
  /** Of a union: the values of the field that tells its branches apart. */
  options?: unknown[];
  /** Of a union: what is wrong with the value by each branch. */
  errors?: NestedIssue[][];
  /** Of a record: what is wrong with a name in it. */
  issues?: NestedIssue[];
};

type Words = { rule: string; fix?: string };

function inWords({ keyword, message = '' }: SchemaIssue, params: IssueParams): Words {
  const { expected = '', origin = '', format = '' } = params;
  switch (keyword) {
    case 'invalid_type': {
      const kind = KINDS[expected] ?? expected;
      if (message.endsWith('undefined')) return { rule: 'is required', fix: `Send ${kind} here.` };
      return { rule: `is ${kind}`, fix: `Send ${kind} here.` };
    }
    case 'too_small':
      if (params.minimum === 1 && origin !== 'number' && origin !== 'int') {
        return { rule: 'is not empty', fix: 'Send something here.' };
      }
      return { rule: `has at least ${params.minimum}${unitOf(origin)}` };
    case 'too_big':
      return { rule: `has at most ${params.maximum}${unitOf(origin)}` };
    case 'invalid_value':
      return { rule: `is one of: ${(params.values ?? []).map(String).join(', ')}` };
    case 'invalid_union':
      if (params.options === undefined) return { rule: ownWords(message) };
      return { rule: `is one of: ${params.options.map(String).join(', ')}` };
    case 'invalid_key': {
      const [why] = params.issues ?? [];
      if (why === undefined) return { rule: 'has the documented form' };
      const first = asSchemaIssue(why, []);
      const { rule } = inWords(first, first.params);
      return { rule: `a name in it ${rule}`, fix: 'Rename it.' };
    }
    case 'invalid_format':
      return { rule: FORMATS[format] ?? ownWords(message) };
    default:
      return { rule: ownWords(message) };
  }
}

/** A schema that has words of its own keeps them; zod's own would only confuse. */
function ownWords(message: string): string {
  return message === '' || message.startsWith('Invalid') ? 'has the documented form' : message;
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  if (origin === 'array') return ' items';
  return ' as its value';
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a JSON object',
};

const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'is a time with a zone, such as 2026-06-03T12:00:00Z (RFC 3339)',
  url: 'is an absolute http or https URL',
};
