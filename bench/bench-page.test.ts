import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withSection } from './bench-page.ts';

test('a benchmark has one section on the page, and sections stand by name', () => {
  const first = withSection('', '## media\n\nold');
  const second = withSection(first, '## audit\n\nsome');
  const third = withSection(second, '## media\n\nnew');
  assert.deepEqual(
    third
      .split(/^## /m)
      .slice(1)
      .map((part) => part.trim()),
    ['audit\n\nsome', 'media\n\nnew'],
  );
  assert.equal(withSection(third, '## media\n\nnew'), third);
});
