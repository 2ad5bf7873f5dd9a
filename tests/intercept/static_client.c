/* Asks for a host's page without TLS, as a program that is linked statically does; prints what came. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **arguments) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found;
    char request[512], answer[4096];
    ssize_t length;
    int code, one;

    if (count != 3) return 2;
    code = getaddrinfo(arguments[1], arguments[2], &hints, &found);
    if (code) {
        fprintf(stderr, "%s: %s\n", arguments[1], gai_strerror(code));
        return 3;
    }
    one = socket(found->ai_family, found->ai_socktype, 0);
    if (connect(one, found->ai_addr, found->ai_addrlen)) {
        perror(arguments[1]);
        return 4;
    }
    snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", arguments[1]);
    if (write(one, request, strlen(request)) < 0) return 5;
    while ((length = read(one, answer, sizeof answer)) > 0) fwrite(answer, 1, (size_t)length, stdout);
    return length < 0 ? 6 : 0;
}
