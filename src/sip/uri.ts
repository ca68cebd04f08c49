/**
 * SIP URIs (RFC 3261 section 19.1) and the name-addr form around them (section 20.10).
 * Both parsers run over the text once, by hand: a hostile header must not find a regular
 * expression that backtracks.
 */
export type SipUri = {
  scheme: 'sip' | 'sips';
  /** As written, escapes kept; absent for `sip:host`. */
  user?: string;
  host: string;
  port?: number;
  /** Names in lower case; a parameter without a value holds the empty string. */
  parameters: ReadonlyMap<string, string>;
  /** The text after `?`; a Request-URI must not have any. */
  headers: string;
};

export type NameAddress = {
  displayName: string;
  /** The address as written; it need not be a SIP URI. */
  uri: string;
  /** Header parameters, such as `tag`; names in lower case. */
  parameters: ReadonlyMap<string, string>;
};

const HOST_SHAPE = /^[A-Za-z0-9._-]{1,253}$/;
const IPV6_SHAPE = /^\[[0-9A-Fa-f:.]{2,45}\]$/;
const PORT_SHAPE = /^\d{1,5}$/;
/** Printable ASCII without the characters RFC 3986 excludes from every URI. */
const URI_SHAPE = /^[!#-;=?-[\]_a-z~]+$/;
const SCHEME_SHAPE = /^[A-Za-z][A-Za-z0-9+.-]*$/;

/** The scheme in lower case, or nothing when the text is no URI at all. */
export function uriScheme(text: string): string | undefined {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(0, colon));
  return SCHEME_SHAPE.test(scheme) && URI_SHAPE.test(text) ? scheme.toLowerCase() : undefined;
}

/**
 * Keeps the last answer of a parser: screening, transaction and dialog ask for the same header of
 * one message in turn. Only for answers that nobody changes.
 */
export function keepLast<T>(parse: (text: string) => T): (text: string) => T {
  let last: { text: string; answer: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, answer: parse(text) };
    return last.answer;
  };
}

/** Parses `sip:` and `sips:` URIs; anything else, or anything malformed, gives undefined. */
export const parseSipUri = keepLast(readSipUri);

function readSipUri(text: string): SipUri | undefined {
  const scheme = uriScheme(text);
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  let rest = text.slice(scheme.length + 1);
  let user: string | undefined;
  // The user part may hold `;` and `?` (RFC 4475 3.1.1.9), so the at sign is looked for first.
  const at = rest.indexOf('@');
  if (at >= 0) {
    user = rest.slice(0, at);
    rest = rest.slice(at + 1);
    if (user === '') return undefined;
  }
  const question = rest.indexOf('?');
  const headers = question < 0 ? '' : rest.slice(question + 1);
  if (question >= 0) rest = rest.slice(0, question);
  const [hostPort = '', ...parameterTexts] = rest.split(';');
  const place = parseHostPort(hostPort);
  const parameters = parseParameters(parameterTexts);
  if (place === undefined || parameters === undefined) return undefined;
  return { scheme, ...(user === undefined ? {} : { user }), ...place, parameters, headers };
}

/** `host`, `host:port` or `[v6]:port`. */
export function parseHostPort(text: string): { host: string; port?: number } | undefined {
  const bracket = text.indexOf(']');
  const colon = text.indexOf(':', Math.max(0, bracket));
  const host = colon < 0 ? text : text.slice(0, colon);
  if (!HOST_SHAPE.test(host) && !IPV6_SHAPE.test(host)) return undefined;
  if (colon < 0) return { host };
  const portText = text.slice(colon + 1);
  const port = Number(portText);
  if (!PORT_SHAPE.test(portText) || port < 1 || port > 65_535) return undefined;
  return { host, port };
}

/** `name=value` pairs, already cut at the semicolons. */
function parseParameters(texts: readonly string[]): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const name = (equals < 0 ? text : text.slice(0, equals)).trim().toLowerCase();
    if (name === '') return undefined;
    const value = equals < 0 ? '' : text.slice(equals + 1).trim();
    parameters.set(name, unquote(value));
  }
  return parameters;
}

/** Removes the quotes and backslashes of a quoted-string. */
export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/gs, '$1');
}

/** Makes any text a quoted-string; control characters become blanks. */
export function quote(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  return `"${text.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}

/** No header that we read has more elements or parameters; 8 kB of commas have. */
const PARTS_MAX = 128;
const QUOTE = 0x22;
const OPEN = 0x3c;
const CLOSE = 0x3e;
const BACKSLASH = 0x5c;

/**
 * Cuts at `separator` outside quotes and angle brackets; undefined when a quote or a bracket is
 * left open (an unclosed quote would swallow the rest of the header) or there are too many parts.
 */
export function splitOutside(text: string, separator: ',' | ';'): string[] | undefined {
  const parts: string[] = [];
  const cut = separator.charCodeAt(0);
  let quoted = false;
  let angled = false;
  let from = 0;
  for (let i = 0; i < text.length; i += 1) {
    // Codes, not characters: each character of a text would be a string of its own.
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === BACKSLASH) i += 1;
      else if (code === QUOTE) quoted = false;
    } else if (code === QUOTE) quoted = true;
    else if (code === OPEN && !angled) angled = true;
    else if (code === OPEN) return undefined;
    else if (code === CLOSE) angled = false;
    else if (code === cut && !angled) {
      parts.push(text.slice(from, i).trim());
      from = i + 1;
      if (parts.length >= PARTS_MAX) return undefined;
    }
  }
  if (quoted || angled) return undefined;
  parts.push(text.slice(from).trim());
  return parts;
}

/** Parses `"Name" <uri>;params` and the bare `uri;params`. */
export function parseNameAddress(text: string): NameAddress | undefined {
  const [address, ...parameterTexts] = splitOutside(text, ';') ?? [];
  const parameters = parseParameters(parameterTexts);
  if (address === undefined || parameters === undefined) return undefined;
  if (!address.endsWith('>')) {
    // Without brackets a `?` or `,` would be ambiguous (RFC 3261 section 20.10).
    const plain = uriScheme(address) !== undefined && !/[?,]/.test(address);
    return plain ? { displayName: '', uri: address, parameters } : undefined;
  }
  const open = openingBracket(address);
  const uri = address.slice(open + 1, -1);
  if (open < 0 || uriScheme(uri) === undefined) return undefined;
  return { displayName: unquote(address.slice(0, open).trim()), uri, parameters };
}

/** The first `<` that is not inside the quoted display name. */
function openingBracket(text: string): number {
  if (!text.startsWith('"')) return text.indexOf('<');
  let end = 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  // Only blanks may stand between the name and its address.
  const open = text.indexOf('<', end);
  return text.slice(end + 1, open).trim() === '' ? open : -1;
}
