/** Names of groups as people write them: by commas or blanks, each once. */
export function groupsIn(text: string): string[] {
  const names = text.toLowerCase().split(/[\s,;]+/);
  return [...new Set(names.filter((name) => name !== ''))];
}
