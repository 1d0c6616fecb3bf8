/**
 * Ids are texts. TypeScript keeps the kinds apart; what they say is checked by the library, with an
 * {@link FieldpostError} of kind `InvalidArgument`.
 *
 * An id that comes from elsewhere, for example from a push notification, becomes one with `as ConversationId`.
 */

declare const kind: unique symbol;

type Id<Kind extends string> = string & { readonly [kind]: Kind };

/** Names a conversation. */
export type ConversationId = Id<'conversation'>;
/** Names a message. */
export type MessageId = Id<'message'>;
/** Names a person: the user id of the session. */
export type PersonId = Id<'person'>;
/** Names a medic. */
export type MedicId = Id<'medic'>;
/** Names an organization. */
export type OrgId = Id<'organization'>;
/** Names a change of a record that waits, or has lost. */
export type MutationId = Id<'mutation'>;
/** Names a report of a message. */
export type ReportId = Id<'report'>;
/** Names a record. */
export type RecordId = Id<'record'>;
