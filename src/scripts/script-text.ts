/** Variables in texts: `{{name}}`, nothing else. No expressions, so a text can do nothing. */
const PLACEHOLDER = /\{\{\s*([A-Za-z]\w{0,39})\s*\}\}/g;

/** The names that a text uses, once each. */
export function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? ''))];
}

/** True where double braces are left that name no variable: a typing mistake, most often. */
export function hasBrokenPlaceholder(text: string): boolean {
  return /\{\{|\}\}/.test(text.replaceAll(PLACEHOLDER, ''));
}

/** The text with its variables filled in; what nobody set is left out. */
export function filledText(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(PLACEHOLDER, (_match, name: string) =>
    Object.hasOwn(variables, name) ? (variables[name] ?? '') : '',
  );
}
