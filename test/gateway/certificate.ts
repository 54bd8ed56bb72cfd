/**
 * A self-signed certificate for localhost and its key, for tests of TLS only: they protect nothing, and the key is
 * public by standing here. Valid until 2126. Made with
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost
 * -addext subjectAltName=DNS:localhost,IP:127.0.0.1`.
 */
export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgks0crD0uCKrkXCKi
jNa8XZ1xnPMWJawDYZJ5QKN3gVyhRANCAARt+T+LvYxHFso32OLD4gv5sYDQ0yNN
cpik5uyovhpTxjQq0A21aGgKg14ffIhF48XosNygrxrTw3Ydb9e5XIXQ
-----END PRIVATE KEY-----
`;
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUdW9J8wXOAHiiY8ugvPf/7/+8MacwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE2NDQyOFoYDzIxMjYxMDI5
MTY0NDI4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARt+T+LvYxHFso32OLD4gv5sYDQ0yNNcpik5uyovhpTxjQq0A21aGgK
g14ffIhF48XosNygrxrTw3Ydb9e5XIXQo28wbTAdBgNVHQ4EFgQUYVjJJh3kJVSU
3tj2skmbFcT3YBMwHwYDVR0jBBgwFoAUYVjJJh3kJVSU3tj2skmbFcT3YBMwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgPfs26AaePBZnLxwqnhanvDefKbT/ChIjlQZmUE90f+4CIQCG
pI7aD/aIN8hgP3ZAZ2queoXxiavZH4ViFAp2YVb4GA==
-----END CERTIFICATE-----
`;
