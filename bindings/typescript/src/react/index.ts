/** Hooks for React 18 and 19, and React Native. */

export {
  FieldpostProvider,
  keyOf,
  useClient,
  useConversations,
  useStatus,
  useTimeline,
  useUnread,
  type Shown,
  type ShownConversations,
  type ShownTimeline,
} from './hooks';
