# Anthropic's wire format on bad days.  ENG-1, ENG-6
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::ProviderFaults;
use Test::More;

Frontdesk::ProviderFaults::run('anthropic');
done_testing;
