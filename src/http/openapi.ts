import fastifySwagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { HTTP_ERRORS } from './http-errors.ts';

/**
 * `GET /openapi.json`: OpenAPI 3.1 from the very zod schemas that check requests, so the document
 * cannot lag behind the code. Every problem is in it, with its code and what to do about it.
 */
export type ProblemCatalogue = Readonly<
  Record<string, { status: number; title: string; fix: string }>
>;

export type OpenApiOptions = {
  docsUrl: string;
  version: string;
  /** Refusal codes of the domain, beside those of HTTP. */
  catalogue: ProblemCatalogue;
};

declare module 'fastify' {
  // An interface, because only interfaces can be merged into fastify's own.
  interface FastifyContextConfig {
    /** The route needs an Idempotency-Key: `idempotent()` checks it, the document tells it. */
    idempotent?: boolean;
  }
}

type OpenApiDocument = {
  paths?: Record<string, Record<string, { responses?: Record<string, unknown> }>>;
  components?: { schemas?: Record<string, unknown>; responses?: Record<string, unknown> };
};

/** Call it before any route is registered: the document is gathered from route hooks. */
export async function registerOpenApi(
  // Plugins take any instance; the zod provider plays no part in them.
  app: Pick<FastifyInstance, 'register' | 'get'>,
  options: OpenApiOptions,
): Promise<void> {
  const responses = problemResponses({ ...HTTP_ERRORS, ...options.catalogue });
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Askfirst',
        version: options.version,
        description:
          'Ask for permission first, then call on WhatsApp. Times are RFC 3339 UTC, numbers E.164.',
      },
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'af_test_… or af_live_…' },
        },
      },
      security: [{ apiKey: [] }],
    },
    transform: (route) => {
      const transformed = jsonSchemaTransform(route);
      const schema = {
        ...transformed.schema,
        operationId: operationId(route.route.method, route.url),
        ...(route.route.config?.idempotent === true ? { headers: IDEMPOTENCY_HEADERS } : {}),
      };
      return { ...transformed, schema };
    },
    transformObject: (documents) => {
      const document = ('openapiObject' in documents
        ? documents.openapiObject
        : {}) as unknown as OpenApiDocument;
      addProblems(document, responses);
      return document;
    },
  });
  let text: string | undefined;
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    text ??= JSON.stringify((app as FastifyInstance).swagger());
    return reply.type('application/json; charset=utf-8').send(text);
  });
}

function problemResponses(catalogue: ProblemCatalogue): Record<string, unknown> {
  const byStatus = new Map<number, Record<string, unknown>>();
  for (const [code, entry] of Object.entries(catalogue)) {
    const examples = byStatus.get(entry.status) ?? {};
    examples[code] = {
      summary: entry.title,
      description: entry.fix,
      value: { code, status: entry.status, title: entry.title, fix: entry.fix },
    };
    byStatus.set(entry.status, examples);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, examples]) => [
      `Problem${status}`,
      {
        description: `Problem: ${Object.keys(examples).join(', ')}.`,
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples,
          },
        },
      },
    ]),
  );
}

/** Any operation may answer any problem; clients should switch on `code`, never on text. */
function addProblems(document: OpenApiDocument, responses: Record<string, unknown>): void {
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, Problem: PROBLEM_SCHEMA };
  document.components.responses = { ...document.components.responses, ...responses };
  const references = Object.keys(responses).map((name): [string, unknown] => [
    name.slice('Problem'.length),
    { $ref: `#/components/responses/${name}` },
  ]);
  for (const operations of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(operations)) {
      operation.responses = { ...Object.fromEntries(references), ...operation.responses };
    }
  }
}

/** `POST /v1/calls/:id/hangup` is `postCallsByIdHangup`: stable as long as the route is. */
function operationId(method: string | string[], url: string): string {
  const verb = (Array.isArray(method) ? method[0] : method) ?? 'get';
  const words = url
    .replace(/^\/v1\//, '')
    .replaceAll(':', 'by-')
    .split(/[/.-]/)
    .filter((word) => word !== '');
  const rest = words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return [verb.toLowerCase(), ...rest].join('');
}

const TEXT = { type: 'string' };

const IDEMPOTENCY_HEADERS = {
  type: 'object',
  required: ['Idempotency-Key'],
  properties: {
    'Idempotency-Key': {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'A fresh random text; the same key and body get the first answer again.',
    },
  },
};

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457 problem details.',
  required: ['type', 'title', 'status', 'code', 'detail', 'fix', 'docs_url', 'request_id'],
  properties: {
    type: TEXT,
    title: TEXT,
    status: { type: 'integer' },
    code: { ...TEXT, description: 'Stable; switch on this.' },
    detail: TEXT,
    fix: { ...TEXT, description: 'What to do about it.' },
    docs_url: TEXT,
    request_id: TEXT,
    rule: { ...TEXT, description: 'The policy rule that refused.' },
    evidence: { type: 'object', description: 'The facts the refusal rests on.' },
    allowedAt: { ...TEXT, format: 'date-time', description: 'From when on it would be allowed.' },
    latestAt: { ...TEXT, format: 'date-time', description: 'Until when it would be allowed.' },
    fields: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'rule', 'fix'],
        properties: { field: TEXT, rule: TEXT, fix: TEXT },
      },
    },
  },
};
