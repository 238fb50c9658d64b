// @aws-amplify/backend imports them when it is loaded, and calls them in a backend with a GraphQL API.
exports.defineData = undefined;
exports.createGraphqlModelsGenerator = undefined;
