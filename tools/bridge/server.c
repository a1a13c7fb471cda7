/* server.c - connecting to NATS; streams; failures in words. */
#include "server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 5000, ASK_MS = 5000 };

/*
 * Failures.
 */

static bool
is_denied(natsStatus status)
{
    return status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED;
}

static bool
is_tls(natsStatus status)
{
    return status == NATS_SSL_ERROR || status == NATS_SECURE_CONNECTION_REQUIRED ||
           status == NATS_SECURE_CONNECTION_WANTED;
}

static bool
is_without_jetstream(jsErrCode code)
{
    return code == JSNotEnabledErr || code == JSNotEnabledForAccountErr;
}

/* What the library says of this thread's last failure, which may be of an older one; without
 * the place in its sources, "(FILE:LINE): ". */
static const char *
detail(natsStatus status)
{
    natsStatus of = NATS_OK;
    const char *text = nats_GetLastError(&of);
    const char *end;

    if (of != status || text == NULL || text[0] == '\0')
        return natsStatus_GetText(status);
    end = text[0] == '(' ? strstr(text, "): ") : NULL;
    return end != NULL ? end + 3 : text;
}

static int
status_of(natsStatus status, jsErrCode code)
{
    if (is_denied(status))
        return EXIT_DENIED;
    if (is_tls(status))
        return EXIT_TLS;
    if (is_without_jetstream(code))
        return EXIT_NO_JETSTREAM;
    if (code == JSStreamNotFoundErr)
        return EXIT_NO_STREAM;
    if (status == NATS_NO_SERVER || status == NATS_CONNECTION_CLOSED ||
        status == NATS_CONNECTION_DISCONNECTED || status == NATS_IO_ERROR)
        return EXIT_NO_SERVER;
    return EXIT_FAILED;
}

bool
server_is_worth_repeating(natsStatus status)
{
    return status == NATS_TIMEOUT || status == NATS_CONNECTION_DISCONNECTED ||
           status == NATS_CONNECTION_CLOSED || status == NATS_INSUFFICIENT_BUFFER;
}

void
server_explain(struct failure *failure, const char *what, natsStatus status,
               jsErrCode code)
{
    failure->status = status_of(status, code);
    failure->is_fatal = failure->status == EXIT_DENIED || failure->status == EXIT_TLS ||
                        failure->status == EXIT_NO_JETSTREAM;
    (void)snprintf(failure->text, sizeof failure->text, "%.250s: %.250s", what,
                   detail(status));
}

bool
server_explain_stream(struct failure *failure, const char *stream, natsStatus status,
                      jsErrCode code)
{
    char what[2 * WIRE_NAME_MAX + 32];

    (void)snprintf(what, sizeof what, "stream %s", stream);
    server_explain(failure, what, status, code);
    if (failure->status == EXIT_NO_STREAM || status == NATS_NOT_FOUND) {
        failure->status = EXIT_NO_STREAM;
        (void)snprintf(failure->text, sizeof failure->text,
                       "there is no stream %s on this server: the sending bridge makes "
                       "it%s",
                       stream,
                       strncmp(stream, "MMF_", 4) == 0
                           ? "; if that uses another server, set mirror-domain"
                           : "");
    } else if (status == NATS_NO_RESPONDERS) {
        failure->status = EXIT_NO_JETSTREAM;
        failure->is_fatal = false; /* it was there when the connection was made */
        (void)snprintf(failure->text, sizeof failure->text,
                       "stream %s: no JetStream answers", stream);
    }
    return false;
}

/*
 * Connecting.
 */

static void
when_disconnected(natsConnection *connection, void *closure)
{
    struct server *server = closure;

    if (atomic_load(&server->heard) != connection)
        return;
    atomic_fetch_add(&server->disconnects, 1);
    atomic_store(&server->is_connected, false);
    log_say(LOG_WARNING, NULL, "the connection to the server is lost; trying again");
}

static void
when_reconnected(natsConnection *connection, void *closure)
{
    struct server *server = closure;
    char url[256] = "";

    (void)natsConnection_GetConnectedUrl(connection, url, sizeof url);
    atomic_store(&server->is_connected, true);
    log_say(LOG_INFO, NULL, "connected again to %s", url);
}

static void
when_closed(natsConnection *connection, void *closure)
{
    struct server *server = closure;

    if (atomic_load(&server->heard) != connection)
        return;
    atomic_store(&server->is_connected, false);
    atomic_store(&server->is_closed, true);
}

/* The links notice themselves what they have missed. */
static void
when_something_fails(natsConnection *connection, natsSubscription *subscription,
                     natsStatus status, void *closure)
{
    (void)connection;
    (void)subscription;
    (void)closure;
    log_say(status == NATS_SLOW_CONSUMER ? LOG_WARNING : LOG_DEBUG, NULL, "%s",
            natsStatus_GetText(status));
}

static int64_t
reconnect_pause(natsConnection *connection, int attempts, void *closure)
{
    int64_t pause = FIRST_PAUSE_MS;

    (void)connection;
    (void)closure;
    for (int i = 1; i < attempts && pause < LONGEST_PAUSE_MS; i++)
        pause *= 2;
    return pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
}

/* A secret's first line. */
static bool
read_secret(const char *path, char *secret, int size)
{
    FILE *file = fopen(path, "re");
    bool has_line = file != NULL && fgets(secret, size, file) != NULL;

    if (file != NULL)
        (void)fclose(file);
    if (has_line)
        secret[strcspn(secret, "\r\n")] = '\0';
    return has_line;
}

static natsStatus
set_identity(natsOptions *options, const struct config *config)
{
    char secret[1024];
    natsStatus status = NATS_INVALID_ARG;

    if (config->credentials != NULL)
        return natsOptions_SetUserCredentialsFromFiles(options, config->credentials,
                                                       NULL);
    if (config->user != NULL &&
        read_secret(config->password_file, secret, sizeof secret))
        status = natsOptions_SetUserInfo(options, config->user, secret);
    else if (config->token_file != NULL &&
             read_secret(config->token_file, secret, sizeof secret))
        status = natsOptions_SetToken(options, secret);
    else if (config->user == NULL && config->token_file == NULL)
        status = NATS_OK;
    explicit_bzero(secret, sizeof secret);
    return status;
}

static natsStatus
set_tls(natsOptions *options, const struct config *config)
{
    natsStatus status = NATS_OK;

    if (config->tls || config->tls_ca != NULL || config->tls_cert != NULL)
        status = natsOptions_SetSecure(options, true);
    if (status == NATS_OK && config->tls_ca != NULL)
        status = natsOptions_LoadCATrustedCertificates(options, config->tls_ca);
    if (status == NATS_OK && config->tls_cert != NULL)
        status = natsOptions_LoadCertificatesChain(options, config->tls_cert,
                                                   config->tls_key);
    return status;
}

static natsStatus
set_servers(natsOptions *options, const char *servers)
{
    enum { MOST = 16 };
    const char *urls[MOST];
    char *copy = strdup(servers);
    char *rest = copy;
    int count = 0;
    natsStatus status;

    if (copy == NULL)
        return NATS_NO_MEMORY;
    while (rest != NULL && count < MOST)
        urls[count++] = strsep(&rest, ",");
    status = natsOptions_SetServers(options, urls, count);
    free(copy);
    return status;
}

static natsStatus
set_behaviour(natsOptions *options, struct server *server)
{
    natsStatus status = natsOptions_SetMaxReconnect(options, -1);

    if (status == NATS_OK)
        status = natsOptions_SetName(options, "mmf-bridge");
    if (status == NATS_OK)
        status = natsOptions_SetTimeout(options, ASK_MS);
    if (status == NATS_OK)
        status = natsOptions_SetPingInterval(options, 5000);
    if (status == NATS_OK)
        status = natsOptions_SetNoEcho(options, true);
    if (status == NATS_OK)
        status = natsOptions_SetCustomReconnectDelay(options, reconnect_pause, NULL);
    if (status == NATS_OK)
        status = natsOptions_SetDisconnectedCB(options, when_disconnected, server);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectedCB(options, when_reconnected, server);
    if (status == NATS_OK)
        status = natsOptions_SetClosedCB(options, when_closed, server);
    if (status == NATS_OK)
        status = natsOptions_SetErrorHandler(options, when_something_fails, server);
    return status;
}

static natsStatus
make_options(natsOptions **out, struct server *server)
{
    const struct config *config = server->config;
    natsStatus status = natsOptions_Create(out);

    if (status == NATS_OK)
        status = set_servers(*out, config->server);
    if (status == NATS_OK)
        status = set_behaviour(*out, server);
    if (status == NATS_OK)
        status = set_identity(*out, config);
    if (status == NATS_OK)
        status = set_tls(*out, config);
    return status;
}

bool
server_connect(struct server *server, const struct config *config,
               struct failure *failure)
{
    natsOptions *options = NULL;
    jsOptions js;
    natsStatus status;
    bool is_made;

    memset(server, 0, sizeof *server);
    server->config = config;
    (void)jsOptions_Init(&js);
    js.Domain = config->domain;
    js.Wait = ASK_MS;
    status = make_options(&options, server);
    is_made = status == NATS_OK;
    if (status == NATS_OK)
        status = natsConnection_Connect(&server->connection, options);
    if (status == NATS_OK)
        status = natsConnection_JetStream(&server->js, server->connection, &js);
    natsOptions_Destroy(options);
    if (status == NATS_OK) {
        atomic_store(&server->heard, server->connection);
        atomic_store(&server->is_connected, true);
        return true;
    }
    server_explain(failure,
                   is_made ? config->server : "the configuration of the server", status,
                   0);
    failure->is_fatal |= !is_made;
    if (!is_made && failure->status != EXIT_TLS)
        failure->status = EXIT_CONFIGURATION;
    server_close(server);
    return false;
}

void
server_close(struct server *server)
{
    atomic_store(&server->heard, NULL);
    natsConnection_Close(server->connection);
    jsCtx_Destroy(server->js);
    natsConnection_Destroy(server->connection);
    server->js = NULL;
    server->connection = NULL;
}

/*
 * JetStream.
 */

bool
server_check_jetstream(struct server *server, struct failure *failure)
{
    jsAccountInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus status = js_GetAccountInfo(&info, server->js, NULL, &code);
    const char *domain = server->config->domain;

    jsAccountInfo_Destroy(info);
    if (status == NATS_OK)
        return true;
    server_explain(failure, "JetStream", status, code);
    if (status == NATS_NO_RESPONDERS || is_without_jetstream(code)) {
        failure->status = EXIT_NO_JETSTREAM;
        failure->is_fatal = domain == NULL; /* the link to a domain may be down */
        (void)snprintf(failure->text, sizeof failure->text,
                       "%s has no JetStream%s%s for this account: enable it in the "
                       "server's configuration (jetstream {})",
                       server->config->server, domain != NULL ? " in domain " : "",
                       domain != NULL ? domain : "");
    }
    return false;
}

void
server_wire_name(char *out, size_t size, const char *name)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    size_t length = 0;

    for (; *name != '\0' && length + 4 < size; name++)
        if (strchr(plain, *name) != NULL)
            out[length++] = *name;
        else
            length += (size_t)snprintf(out + length, size - length, "=%02X",
                                       (unsigned)(unsigned char)*name);
    out[length] = '\0';
}

void
server_name_queue(struct stream_names *names, const char *remote, const char *origin)
{
    char wire_remote[WIRE_NAME_MAX], wire_origin[WIRE_NAME_MAX];

    server_wire_name(wire_remote, sizeof wire_remote, remote);
    server_wire_name(wire_origin, sizeof wire_origin, origin);
    (void)snprintf(names->stream, sizeof names->stream, "MMF_%s_%s", wire_remote,
                   wire_origin);
    (void)snprintf(names->subject, sizeof names->subject, "mmf.q.%s.%s", wire_remote,
                   wire_origin);
}

void
server_name_topic(struct stream_names *names, const char *remote)
{
    char wire_remote[WIRE_NAME_MAX];

    server_wire_name(wire_remote, sizeof wire_remote, remote);
    (void)snprintf(names->stream, sizeof names->stream, "MMF-topic_%s", wire_remote);
    (void)snprintf(names->subject, sizeof names->subject, "mmf.t.%s", wire_remote);
}

bool
server_make_stream(struct server *server, const struct stream_wish *wish,
                   struct failure *failure)
{
    jsStreamConfig config;
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus status;

    (void)jsStreamConfig_Init(&config);
    config.Name = wish->name;
    config.Subjects = (const char *[]){wish->subject};
    config.SubjectsLen = 1;
    config.Storage = wish->in_memory ? js_MemoryStorage : js_FileStorage;
    config.MaxBytes = wish->bytes;
    config.MaxAge = wish->age_ms * 1000000;
    if (wish->per_subject > 0)
        config.MaxMsgsPerSubject = wish->per_subject;
    config.Discard = wish->discard_old ? js_DiscardOld : js_DiscardNew;
    status = js_AddStream(&info, server->js, &config, NULL, &code);
    jsStreamInfo_Destroy(info);
    if (status == NATS_OK || code == JSStreamNameExistErr)
        return true;
    return server_explain_stream(failure, wish->name, status, code);
}

/*
 * By its text: this version of the library does not survive a mirror with an external API.
 */
bool
server_make_mirror(struct server *server, const struct stream_wish *wish,
                   const char *domain, struct failure *failure)
{
    const char *own = server->config->domain;
    char subject[2 * WIRE_NAME_MAX + 128];
    char text[4 * WIRE_NAME_MAX + 512];
    natsMsg *reply = NULL;
    natsStatus status;
    bool is_made;

    (void)snprintf(subject, sizeof subject, "$JS.%s%sAPI.STREAM.CREATE.%s",
                   own != NULL ? own : "", own != NULL ? "." : "", wish->name);
    (void)snprintf(text, sizeof text,
                   "{\"name\":\"%s\",\"retention\":\"limits\",\"storage\":\"%s\","
                   "\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,"
                   "\"discard\":\"old\",\"num_replicas\":1,\"mirror\":{\"name\":\"%s\","
                   "\"external\":{\"api\":\"$JS.%s.API\"}}}",
                   wish->name, wish->in_memory ? "memory" : "file", wish->name, domain);
    status =
        natsConnection_RequestString(&reply, server->connection, subject, text, ASK_MS);
    is_made = status == NATS_OK &&
              (strstr(natsMsg_GetData(reply), "\"error\"") == NULL ||
               strstr(natsMsg_GetData(reply), "10058") != NULL); /* it is there */
    if (!is_made && status == NATS_OK)
        (void)snprintf(failure->text, sizeof failure->text,
                       "mirror of stream %s in domain %s: %.300s", wish->name, domain,
                       natsMsg_GetData(reply));
    else if (!is_made)
        (void)server_explain_stream(failure, wish->name, status, 0);
    if (!is_made && status == NATS_OK)
        failure->status = EXIT_NO_STREAM;
    natsMsg_Destroy(reply);
    return is_made;
}

bool
server_delete_stream(struct server *server, const char *stream, struct failure *failure)
{
    jsErrCode code = 0;
    natsStatus status = js_DeleteStream(server->js, stream, NULL, &code);

    return status == NATS_OK || code == JSStreamNotFoundErr ||
           server_explain_stream(failure, stream, status, code);
}

bool
server_stream_state(struct server *server, const char *stream, const char *domain,
                    struct stream_state *state, struct failure *failure)
{
    jsStreamInfo *info = NULL;
    jsOptions options;
    jsErrCode code = 0;
    natsStatus status;

    (void)jsOptions_Init(&options);
    options.Domain = domain;
    status = js_GetStreamInfo(&info, server->js, stream, &options, &code);
    if (status != NATS_OK)
        return server_explain_stream(failure, stream, status, code);
    *state = (struct stream_state){.first = info->State.FirstSeq,
                                   .last = info->State.LastSeq,
                                   .messages = info->State.Msgs,
                                   .bytes = info->State.Bytes,
                                   .most_bytes = info->Config->MaxBytes,
                                   .created = info->Created};
    jsStreamInfo_Destroy(info);
    return true;
}

bool
server_purge(struct server *server, const char *stream, uint64_t sequence,
             const char *domain, struct failure *failure)
{
    jsOptions options;
    jsErrCode code = 0;
    natsStatus status;

    (void)jsOptions_Init(&options);
    options.Domain = domain;
    options.Stream.Purge.Sequence = sequence;
    status = js_PurgeStream(server->js, stream, &options, &code);
    return status == NATS_OK || server_explain_stream(failure, stream, status, code);
}

void
server_delete_message(struct server *server, const char *stream, uint64_t sequence)
{
    const char *domain = server->config->domain;
    char subject[2 * WIRE_NAME_MAX + 128];
    char text[64];

    (void)snprintf(subject, sizeof subject, "$JS.%s%sAPI.STREAM.MSG.DELETE.%s",
                   domain != NULL ? domain : "", domain != NULL ? "." : "", stream);
    (void)snprintf(text, sizeof text, "{\"seq\":%" PRIu64 ",\"no_erase\":true}",
                   sequence);
    (void)natsConnection_PublishString(server->connection, subject, text);
}

bool
server_check_not_shared(struct server *server, const char *stream, const char *domain,
                        struct failure *failure)
{
    jsConsumerInfo *info = NULL;
    jsOptions options;
    jsErrCode code = 0;
    natsStatus status;

    (void)jsOptions_Init(&options);
    options.Domain = domain;
    status =
        js_GetConsumerInfo(&info, server->js, stream, SHARED_CONSUMER, &options, &code);
    jsConsumerInfo_Destroy(info);
    if (code == JSConsumerNotFoundErr || status == NATS_NOT_FOUND)
        return true;
    if (status != NATS_OK)
        return server_explain_stream(failure, stream, status, code);
    *failure = (struct failure){.status = EXIT_CONFIGURATION, .is_fatal = true};
    (void)snprintf(failure->text, sizeof failure->text,
                   "machines share stream %s: set \"shared = yes\" here as well, or "
                   "remove its consumer " SHARED_CONSUMER,
                   stream);
    return false;
}

bool
server_shared_floor(struct server *server, const char *stream, uint64_t *floor,
                    struct failure *failure)
{
    jsConsumerInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus status =
        js_GetConsumerInfo(&info, server->js, stream, SHARED_CONSUMER, NULL, &code);

    if (status != NATS_OK)
        return server_explain_stream(failure, stream, status, code);
    *floor = info->AckFloor.Stream;
    jsConsumerInfo_Destroy(info);
    return true;
}
