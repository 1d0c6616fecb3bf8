import { AppRegistry } from 'react-native';

import { name } from './app.json';
import { Main } from './src/Main';

AppRegistry.registerComponent(name, () => Main);
