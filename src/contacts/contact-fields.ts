import { z } from 'zod';
import { zoneExists } from '../policy/hours/zone-time.ts';

/** What the business may say of a person, by whichever way it says it: one rule for all. */
export const contactName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'has no control characters, such as line breaks');

export const contactLanguage = z
  .string()
  .regex(/^[a-z]{2,3}(_[A-Z]{2})?$/, 'is a code such as de or pt_BR');

export const contactTimeZone = z
  .string()
  .max(64)
  .refine(zoneExists, 'is an IANA name such as America/Chicago');

/** The id under which the business itself knows the person. */
export const externalId = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'has no control characters, such as line breaks');

/** Further columns of a file; they become variables of what is said to the person. */
export const COLUMNS_MAX = 50;
export const columnName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'has 1 to 63 of a-z, 0-9 and _, and begins with a letter');
export const columnText = z
  .string()
  .max(500)
  .regex(/^\P{Cc}*$/u, 'has no control characters, such as line breaks');

/** A name that the business gives to a group of people; it stands in the open and names nobody. */
export const contactTag = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'has 1 to 63 of a-z, 0-9, - and _, such as spring-2026');

/** What is known of a person beside name, language and zone. */
export type ContactDetails = { externalId: string | null; columns: Record<string, string> };

export const NO_DETAILS: ContactDetails = { externalId: null, columns: {} };
