// Where the file of shared vectors is.
#pragma once
extern const char* vectors_path;
