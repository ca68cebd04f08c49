import { headersOf, listOf, type SipResponse } from './message.ts';
import { parseNameAddress, parseSipUri } from './uri.ts';

/**
 * Where a 3xx points (RFC 3261 section 8.1.3.4). Followed only to URIs that the caller allows,
 * each once, and not for ever: a redirect is the peer's word, and a loop of them costs both.
 */
const FOLLOWED_MAX = 5;
/** 305 names a proxy that must be used, which we do not do; 380 names services, not places. */
const FOLLOWABLE = new Set([300, 301, 302]);

type Refusal = Pick<SipResponse, 'status' | 'headers'>;

export class Redirects {
  readonly #mayFollow: (uri: string) => boolean;
  readonly #seen: Set<string>;
  readonly #secure: boolean;
  #waiting: string[] = [];
  #followed = 0;

  constructor(target: string, mayFollow: (uri: string) => boolean) {
    this.#mayFollow = mayFollow;
    this.#seen = new Set([target]);
    this.#secure = target.toLowerCase().startsWith('sips:');
  }

  /** The URI to try next after a refusal, if there is one; 3xx brings new ones. */
  next(response: Refusal): string | undefined {
    if (FOLLOWABLE.has(response.status)) {
      // RFC 3261 section 8.1.3.4: the contacts of a redirect inside a redirect go first.
      this.#waiting = [...this.#contacts(response), ...this.#waiting];
    } else if (response.status >= 600) {
      // A global refusal speaks for all of them (section 21.6).
      return undefined;
    }
    const uri = this.#followed < FOLLOWED_MAX ? this.#waiting.shift() : undefined;
    if (uri !== undefined) this.#followed += 1;
    return uri;
  }

  #contacts(response: Refusal): string[] {
    if (headersOf(response, 'contact').length === 0) return [];
    const found = listOf(response, 'contact')
      .map((value) => parseNameAddress(value))
      .flatMap((address) => {
        const uri = address === undefined ? undefined : parseSipUri(address.uri);
        const usable = address !== undefined && uri !== undefined && uri.headers === '';
        return usable ? [{ uri: address.uri, q: weightOf(address.parameters.get('q')) }] : [];
      })
      .sort((a, b) => b.q - a.q)
      .map(({ uri }) => uri)
      .slice(0, FOLLOWED_MAX);
    return found.filter((uri) => {
      // RFC 3261 section 26.4.4: what was to be secure stays so.
      const weaker = this.#secure && !uri.toLowerCase().startsWith('sips:');
      if (weaker || this.#seen.has(uri) || !this.#mayFollow(uri)) return false;
      this.#seen.add(uri);
      return true;
    });
  }
}

function weightOf(text: string | undefined): number {
  return text !== undefined && /^[01](\.\d{0,3})?$/.test(text) ? Number(text) : 1;
}

export function isSameHost(a: string, b: string): boolean {
  const [one, other] = [parseSipUri(a), parseSipUri(b)];
  return one !== undefined && one.host.toLowerCase() === other?.host.toLowerCase();
}
