// Where Tidegate is, and the key it gave you: the one thing that changes in an application.
export const url = process.env['TIDEGATE_URL'] ?? 'http://127.0.0.1:4000';
export const apiKey = process.env['TIDEGATE_API_KEY'] ?? '';
export const model = process.env['TIDEGATE_MODEL'] ?? 'chat'; // a route of the plan file
