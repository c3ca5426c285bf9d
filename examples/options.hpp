// The command lines of the examples that take few options, or none. `--help` and mistakes end the program here.
#pragma once
#include <string>

void no_options(int argc, char** argv, const std::string& what_it_does);

/// The only option of most examples, `--pictures`: where the pictures go.
std::string picture_directory(int argc, char** argv, const std::string& what_it_does);
