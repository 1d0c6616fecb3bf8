import type { ConversationId, ConversationSummary } from 'fieldpost';
import { useConversations } from 'fieldpost/react';
import { useCallback, type ReactElement } from 'react';
import { FlatList, Pressable, Text, View } from 'react-native';

import { styles } from './styles';

type Open = (id: ConversationId, name: string) => void;

export function ConversationList({ onOpen }: { onOpen: Open }): ReactElement {
  const { conversations, ready, error } = useConversations({ archived: false });
  const row = useCallback(
    ({ item }: { item: ConversationSummary }) => <Row conversation={item} onOpen={onOpen} />,
    [onOpen],
  );
  return (
    <FlatList
      data={conversations}
      keyExtractor={(conversation) => conversation.id}
      renderItem={row}
      ListEmptyComponent={<Text>{error?.reason ?? (ready ? 'No conversations yet' : '')}</Text>}
    />
  );
}

function Row({ conversation, onOpen }: { conversation: ConversationSummary; onOpen: Open }): ReactElement {
  const { id, name, subject, draft, lastMessagePreview, unread } = conversation;
  return (
    <Pressable testID={`open ${name}`} onPress={() => onOpen(id, name)}>
      <View testID="line" style={styles.row}>
        <Text style={styles.name}>{subject === undefined ? name : `${name}: ${subject}`}</Text>
        <Text>{unread > 0 ? `(${unread})` : ''}</Text>
      </View>
      <View testID="line" style={styles.row}>
        <Text numberOfLines={1}>{draft === undefined ? `  ${lastMessagePreview ?? ''}` : `  Draft: ${draft}`}</Text>
      </View>
    </Pressable>
  );
}
