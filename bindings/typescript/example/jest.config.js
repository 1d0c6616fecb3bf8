// React Native's own preset: its components, its list, its stand-ins for what is native. Fieldpost is the one for Node.
module.exports = {
  preset: 'react-native',
  testMatch: ['<rootDir>/test/**/*.test.tsx'],
  testTimeout: 180_000,
  moduleNameMapper: {
    '^fieldpost$': '<rootDir>/../dist/index.js',
    '^fieldpost/react$': '<rootDir>/../dist/react/index.js',
  },
  transformIgnorePatterns: ['node_modules/(?!((jest-)?react-native|@react-native(-community)?)/)', '/typescript/dist/'],
};
