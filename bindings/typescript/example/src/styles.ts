import { StyleSheet } from 'react-native';

const bubble = { margin: 4, padding: 8, borderRadius: 8, maxWidth: '80%' } as const;

export const styles = StyleSheet.create({
  screen: { flex: 1 },
  status: { flexDirection: 'row', justifyContent: 'space-between', padding: 8 },
  row: { flexDirection: 'row', justifyContent: 'space-between', paddingHorizontal: 8, paddingVertical: 4 },
  name: { fontWeight: '600' },
  divider: { alignItems: 'center', padding: 4 },
  mine: { ...bubble, alignSelf: 'flex-end', backgroundColor: '#d7ebff' },
  theirs: { ...bubble, alignSelf: 'flex-start', backgroundColor: '#eeeeee' },
  input: { flex: 1 },
});
