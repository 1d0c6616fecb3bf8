import { useStatus, useUnread } from 'fieldpost/react';
import type { ReactElement } from 'react';
import { Text, View } from 'react-native';

import { styles } from './styles';

export function StatusLine(): ReactElement {
  const status = useStatus();
  const unread = useUnread();
  const words = {
    SignedOut: 'Signed out',
    Offline: 'Offline',
    Syncing: 'Syncing …',
    Error: status?.lastError?.reason ?? 'Failed',
    Pending: `${status?.pending ?? 0} waiting`,
    Synced: 'Up to date',
  };
  return (
    <View testID="line" style={styles.status}>
      <Text>{status === undefined ? '' : words[status.syncStatus]}</Text>
      <Text>{unread > 0 ? `${unread} unread` : ''}</Text>
    </View>
  );
}
