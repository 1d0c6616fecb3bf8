/** A list of conversations, and a thread. */

import type { Client, ConversationId } from 'fieldpost';
import { FieldpostProvider } from 'fieldpost/react';
import { useState, type ReactElement } from 'react';
import { View } from 'react-native';

import { ConversationList } from './ConversationList';
import { StatusLine } from './StatusLine';
import { styles } from './styles';
import { Thread } from './Thread';

export function App({ client }: { client: Client }): ReactElement {
  const [open, setOpen] = useState<{ id: ConversationId; name: string }>();
  return (
    <FieldpostProvider client={client}>
      <View style={styles.screen}>
        <StatusLine />
        {open === undefined ? (
          <ConversationList onOpen={(id, name) => setOpen({ id, name })} />
        ) : (
          <Thread conversation={open.id} name={open.name} onClose={() => setOpen(undefined)} />
        )}
      </View>
    </FieldpostProvider>
  );
}
