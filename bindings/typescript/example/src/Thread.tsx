import { ItemId, OpenAt, type ConversationId, type ThreadMessage, type TimelineItem } from 'fieldpost';
import { keyOf, useClient, useTimeline } from 'fieldpost/react';
import { useCallback, useMemo, useState, type ReactElement } from 'react';
import { FlatList, Pressable, Text, TextInput, View } from 'react-native';

import { styles } from './styles';

interface ThreadProps {
  conversation: ConversationId;
  name: string;
  onClose: () => void;
}

/** The newest message is at the bottom: an inverted list, so scrolling to its end is scrolling to older messages. */
export function Thread({ conversation, name, onClose }: ThreadProps): ReactElement {
  const client = useClient();
  const { items, timeline, error, paginateBackwards } = useTimeline(conversation, { page: 50, openAt: OpenAt.Newest.new() });
  const [wrong, setWrong] = useState('');
  const newestFirst = useMemo(() => items.slice().reverse(), [items]);
  const failed = useCallback((reason: Error) => setWrong(reason.message), []);
  const fill = useCallback((from: number) => {
    setWrong('');
    timeline?.fillGap(new ItemId.Gap({ from })).catch(failed);
  }, [timeline, failed]);
  // What is read on the screen is read for the server, too. A list wants this function to stay the same.
  const viewed = useCallback(({ viewableItems }: { viewableItems: { item: TimelineItem }[] }) => {
    const seqs = viewableItems.flatMap(({ item }) => (item.tag === 'Message' ? (item.inner.message.seq ?? []) : []));
    if (seqs.length > 0) {
      client.markRead(conversation, Math.max(...seqs)).catch(failed);
    }
  }, [client, conversation, failed]);
  const row = useCallback(({ item }: { item: TimelineItem }) => <Item item={item} onFill={fill} />, [fill]);
  return (
    <View style={styles.screen}>
      <Pressable testID="close" onPress={onClose}>
        <View testID="line">
          <Text style={styles.name}>{`‹ ${name}`}</Text>
        </View>
      </Pressable>
      <FlatList
        testID="thread"
        inverted
        data={newestFirst}
        keyExtractor={keyOf}
        renderItem={row}
        onEndReached={() => void paginateBackwards()}
        onEndReachedThreshold={1}
        onViewableItemsChanged={viewed}
      />
      <Text>{error?.reason ?? wrong}</Text>
      <Composer onSend={(text) => client.send(conversation, text)} />
    </View>
  );
}

function Item({ item, onFill }: { item: TimelineItem; onFill: (from: number) => void }): ReactElement {
  switch (item.tag) {
    case 'Message':
      return <Bubble message={item.inner.message} named={item.inner.firstOfGroup} />;
    case 'Day':
      return <Divider text={item.inner.day} />;
    case 'Unread':
      return <Divider text="new messages" />;
    case 'Loading':
      return <Divider text="loading …" />;
    case 'Gap': {
      const { from, loading } = item.inner;
      return (
        <Pressable onPress={() => onFill(from)}>
          <Divider text={loading ? 'loading …' : 'older messages are missing; tap to load'} />
        </Pressable>
      );
    }
    case 'Start':
      return <Divider text="the conversation begins here" />;
  }
}

const Divider = ({ text }: { text: string }): ReactElement => (
  <View testID="line" style={styles.divider}>
    <Text>{`── ${text} ──`}</Text>
  </View>
);

/** One tick for each step: waiting, on the server, on another device, read. */
const TICKS = { Queued: '…', Sent: '✓', Delivered: '✓✓', Read: '✓✓ read', Other: '' };

function Bubble({ message, named }: { message: ThreadMessage; named: boolean }): ReactElement {
  const { text, omitted, deleted, mine, senderName, status, editedAt, failure, reactions } = message;
  const shown = deleted ? '(deleted)' : (text ?? omitted ?? '');
  return (
    <View testID="line" style={mine ? styles.mine : styles.theirs}>
      <Text style={styles.name}>{named && !mine ? `${senderName}: ` : ''}</Text>
      <Text>{mine ? `> ${shown}` : shown}</Text>
      <Text>{editedAt === undefined ? '' : '(edited)'}</Text>
      <Text>{reactions.map(({ emoji, count }) => `${emoji}${count > 1 ? count : ''}`).join(' ')}</Text>
      <Text>{failure !== undefined ? '! not sent' : mine ? TICKS[status] : ''}</Text>
    </View>
  );
}

function Composer({ onSend }: { onSend: (text: string) => Promise<unknown> }): ReactElement {
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState('');
  const send = (): void => {
    if (text.trim() === '') {
      return;
    }
    // At once: a second tap must not send it again, and what is typed meanwhile is the next message.
    setText('');
    setWrong('');
    onSend(text).catch((error: Error) => {
      setText((typed) => (typed === '' ? text : `${text}\n${typed}`));
      setWrong(error.message);
    });
  };
  return (
    <View testID="line" style={styles.row}>
      <TextInput testID="text" value={text} onChangeText={setText} placeholder="Message" style={styles.input} />
      <Pressable testID="send" onPress={send} disabled={text.trim() === ''}>
        <Text>[ Send ]</Text>
      </Pressable>
      <Text>{wrong}</Text>
    </View>
  );
}
