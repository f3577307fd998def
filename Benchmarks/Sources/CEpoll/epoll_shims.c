#include "epoll_shims.h"
