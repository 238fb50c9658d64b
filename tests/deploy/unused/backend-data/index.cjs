// Imported when @aws-amplify/backend is loaded, and called in a backend with a GraphQL API.
exports.defineData = undefined;
