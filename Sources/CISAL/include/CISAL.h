#ifndef CISAL_H
#define CISAL_H
int cisal_available(void);
#endif
